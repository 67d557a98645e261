"""`multiply` on every fixture against numpy, and on every shared real file against the answers kept."""
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from support.program import read_table, run

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
MANIFEST = FIXTURES / "manifest.json"
CASES = json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else []
DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ANSWERS = {path.name[:-len(".json")]: json.loads(path.read_text()) for path in sorted((DATA / "expected").glob("*.json"))
           if path.name != "seed_golden.json"}
MATRICES = [(name, matrix) for name, answer in ANSWERS.items() for matrix, numbers in answer["numbers"].items() if "skipped" not in numbers]
TRANSPOSED = pytest.mark.parametrize("transposed", [False, True], ids=["XB", "XtC"])


def test_there_are_cases():
    assert len(CASES) > 100


def factor(n_rows, n_cols=8):
    """The numbers of the answers: 32 fractional bits, so that counts times them round nowhere."""
    i = np.arange(n_rows * n_cols, dtype=np.uint64)
    return ((i * np.uint64(2654435761) % np.uint64(2**32)) / 2**32 - 0.5).reshape(n_rows, n_cols)


def multiply(binary, folder, file, b, *arguments, transposed=False):
    np.save(folder / "b.npy", b)
    how = ["--transpose"] if transposed else []
    report = json.loads(run(binary, "multiply", file, "--by", folder / "b.npy", *how, *arguments, "-o", folder / "out.npy", "-f", "--json", "-").stdout)
    names = [(folder / f"out.{which}.tsv").read_text(encoding="utf-8").splitlines() for which in ("rows", "cols")]
    assert names[0][0] == ("gene" if transposed else "cell")
    assert names[1] == ["column"] + [f"column_{i + 1}" for i in range(b.shape[1])]
    return np.load(folder / "out.npy"), report


def agrees(ours, theirs, magnitudes, relative=1e-12):
    with np.errstate(invalid="ignore"):
        return ((abs(ours - theirs) <= relative * magnitudes) | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))).all()


@TRANSPOSED
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fixture(case, transposed, quern_bin, tmp_path):
    truth = np.load(FIXTURES / case["truth"])
    shape = (case["n_obs"], case["n_vars"])
    matrix = sp.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=shape)
    file, how = FIXTURES / case["path"], case["arguments"]
    b = factor(shape[0 if transposed else 1], 3)
    if 0 in shape:
        np.save(tmp_path / "b.npy", b)
        failed = run(quern_bin, "multiply", file, *how, "--by", tmp_path / "b.npy", *(["--transpose"] if transposed else []), "-o", tmp_path / "o.npy",
                     expect=3)
        assert "[no-genes]" in failed.stderr or "[no-cells]" in failed.stderr
        assert not list(tmp_path.glob("o*"))
        return
    ours, report = multiply(quern_bin, tmp_path, file, b, *how, transposed=transposed)
    assert ours.dtype == np.float64 and ours.shape == (shape[1 if transposed else 0], 3)
    x = matrix.T if transposed else matrix
    with np.errstate(invalid="ignore", over="ignore"):
        assert agrees(ours, x @ b, abs(x) @ abs(b))
    assert report["result"]["rows"] == len(ours) and report["result"]["columns"] == 3


@pytest.mark.skipif(not ANSWERS, reason=f"no shared data in {DATA}")
@TRANSPOSED
@pytest.mark.parametrize("name,matrix", MATRICES or [("absent", "X")])
def test_shared(name, matrix, transposed, quern_bin, tmp_path):
    group = ANSWERS[name]["numbers"][matrix].get("same_as", matrix)
    if matrix.startswith("genome/"):
        how = ["--genome", matrix.removeprefix("genome/")]
    else:
        how = (["--feature-type", "all"] if ANSWERS[name]["format"].startswith("10x") else []) + ([] if matrix == "X" else ["--layer", matrix])
    with h5py.File(DATA / "expected" / f"{name}.h5") as file:
        answers = {key: values[()] for key, values in file[f"{group}/products"].items()}
    which = "XtC" if transposed else "XB"
    info = ANSWERS[name]["matrices"][group]
    n_rows, n_cols = info["rows"], info["cols"]
    ours, _ = multiply(quern_bin, tmp_path, DATA / name, factor(n_rows if transposed else n_cols), *how, transposed=transposed)
    assert ours.shape == (n_cols if transposed else n_rows, 8)
    found, wanted = ours[answers[f"{which}_rows"]], answers[which]
    counts = info["whole_numbers"] and abs(float(info["sum"])) < 2**20
    if counts:
        np.testing.assert_array_equal(found, wanted)
    # The magnitudes of one sum: entries of a row of X (of a column), each with half at most.
    largest = np.nan_to_num(max(abs(float(info["max"])), 10.0), nan=10.0)
    one = 0.5 * largest * (n_rows if transposed else n_cols)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12 * one)
    np.testing.assert_allclose(ours.sum(axis=0), answers[f"{which}_colsum"], rtol=1e-12, atol=1e-12 * one * len(ours))


PBMC = DATA / "pbmc3k_raw_f32_csr_gzip.h5ad"


@pytest.fixture(name="small")
def small_(fixtures_dir):
    """A fixture with names and values of both signs; its matrix."""
    case = next(case for case in CASES if case["name"] == "generation-0.7" and not case["arguments"])
    truth = np.load(FIXTURES / case["truth"])
    x = sp.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=(case["n_obs"], case["n_vars"]))
    return fixtures_dir / "generation-0.7.h5ad", x


def test_linear_and_identity(small, quern_bin, tmp_path):
    file, x = small
    rng = np.random.default_rng(3)
    b, c = rng.integers(-8, 8, (2, x.shape[1], 5)).astype(float)
    parts = [multiply(quern_bin, tmp_path, file, m)[0] for m in (b, c, 2 * b + c)]
    np.testing.assert_allclose(parts[2], 2 * parts[0] + parts[1], rtol=1e-13, atol=1e-13)
    n = min(256, x.shape[1])
    np.testing.assert_array_equal(multiply(quern_bin, tmp_path, file, np.eye(x.shape[1], n))[0], x[:, :n].toarray())
    n = min(256, x.shape[0])
    np.testing.assert_array_equal(multiply(quern_bin, tmp_path, file, np.eye(x.shape[0], n), transposed=True)[0], x[:n].T.toarray())


def test_transpose_identity(small, quern_bin, tmp_path):
    """C.T @ (X @ B) == (X.T @ C).T @ B."""
    file, x = small
    b, c = factor(x.shape[1], 4), factor(x.shape[0], 6)
    left = c.T @ multiply(quern_bin, tmp_path, file, b)[0]
    right = multiply(quern_bin, tmp_path, file, c, transposed=True)[0].T @ b
    np.testing.assert_allclose(left, right, rtol=1e-11, atol=1e-11 * abs(left).max())


def names_of(binary, folder, file):
    run(binary, "qc", file, "--cells-out", folder / "cells.tsv", "--genes-out", folder / "genes.tsv", "-q", "-f", "--percent-top", "none")
    return read_table(folder / "cells.tsv")[1], read_table(folder / "genes.tsv")[1]


def write_table(path, names, b, order=None):
    order = range(len(names)) if order is None else order
    heads = "\t".join(["name"] + [f"k{j}" for j in range(b.shape[1])])
    path.write_text(heads + "\n" + "".join("\t".join([names[i]] + [repr(float(v)) for v in b[i]]) + "\n" for i in order), encoding="utf-8")


@TRANSPOSED
def test_table_in_any_order(small, transposed, quern_bin, tmp_path):
    file, x = small
    names = names_of(quern_bin, tmp_path, file)[0 if transposed else 1]
    b = factor(len(names), 4)
    write_table(tmp_path / "b.tsv", names, b, np.random.default_rng(1).permutation(len(names)))
    how = ["--transpose"] if transposed else []
    out = run(quern_bin, "multiply", file, "--by", tmp_path / "b.tsv", *how, "-o", "-", "-q").stdout
    (tmp_path / "o.tsv").write_text(out, encoding="utf-8")
    head, rows, columns = read_table(tmp_path / "o.tsv")
    by_position, _ = multiply(quern_bin, tmp_path, file, b, transposed=transposed)
    assert head == ("gene" if transposed else "cell") and list(columns) == ["k0", "k1", "k2", "k3"]
    assert rows == names_of(quern_bin, tmp_path, file)[1 if transposed else 0]
    np.testing.assert_array_equal(np.array(list(columns.values())).T, by_position)


@TRANSPOSED
def test_chosen_genes(small, transposed, quern_bin, tmp_path):
    file, x = small
    genes = names_of(quern_bin, tmp_path, file)[1]
    chosen = np.arange(0, len(genes), 3)
    (tmp_path / "list.txt").write_text("".join(f"{genes[i]}\n" for i in chosen), encoding="utf-8")
    b = factor(x.shape[0] if transposed else len(chosen), 5)
    ours, _ = multiply(quern_bin, tmp_path, file, b, "--genes", f"@{tmp_path / 'list.txt'}", transposed=transposed)
    part = x[:, chosen]
    np.testing.assert_allclose(ours, (part.T if transposed else part) @ b, rtol=1e-12, atol=1e-12)
    if transposed:
        assert (tmp_path / "out.rows.tsv").read_text(encoding="utf-8").splitlines()[1:] == [genes[i] for i in chosen]
    else:  # a table may have the other genes, too
        full = np.full((len(genes), 5), np.nan)
        full[chosen] = b
        write_table(tmp_path / "b.tsv", genes, full)
        run(quern_bin, "multiply", file, "--by", tmp_path / "b.tsv", "--genes", f"@{tmp_path / 'list.txt'}", "-o", tmp_path / "named.npy")
        np.testing.assert_array_equal(np.load(tmp_path / "named.npy"), ours)


@pytest.mark.parametrize("on", ["counts-per:1e4", "log1p:1e4", "log1p:median"])
def test_values_on(on, small, quern_bin, tmp_path):
    """The same bits as of the file that normalize writes."""
    file, x = small
    how = ["--target-sum", on.split(":")[1]] + (["--no-log1p"] if on.startswith("counts") else [])
    run(quern_bin, "normalize", file, "-o", tmp_path / "n.h5ad", *how)
    for transposed in (False, True):
        b = factor(x.shape[0 if transposed else 1], 3)
        ours, report = multiply(quern_bin, tmp_path, file, b, "--on", on, transposed=transposed)
        theirs, other = multiply(quern_bin, tmp_path, tmp_path / "n.h5ad", b, transposed=transposed)
        np.testing.assert_array_equal(ours, theirs)
        assert report["digest"] == other["digest"]
        assert report["run"]["passes"] == 1 + on.endswith("median")


@pytest.mark.parametrize("kind", [np.float32, np.float64, ">f4", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_npy(kind, order, small, quern_bin, tmp_path):
    file, x = small
    b = factor(x.shape[1], 3).astype(np.float32)
    wanted, report = multiply(quern_bin, tmp_path, file, b.astype(float))
    ours, other = multiply(quern_bin, tmp_path, file, np.asarray(b.astype(kind), order=order))
    np.testing.assert_array_equal(ours, wanted)  # products of floats are exact either way here
    assert report["digest"] == other["digest"]


@TRANSPOSED
def test_one_digest(small, transposed, quern_bin, tmp_path):
    file, x = small
    b = np.random.default_rng(5).normal(size=(x.shape[0 if transposed else 1], 33))
    digests = set()
    for threads in (1, 2, 5):
        for chunk in (1, 100, 1_000_000):
            for memory in ("64MiB", "1GiB"):
                _, report = multiply(quern_bin, tmp_path, file, b, "-t", threads, "--chunk-nnz", chunk, "-m", memory, "--test-slots", 2,
                                     transposed=transposed)
                digests.add(report["digest"])
    assert len(digests) == 1
    if PBMC.exists():
        b = np.random.default_rng(6).normal(size=(2700 if transposed else 32738, 20))
        digests = {multiply(quern_bin, tmp_path, PBMC, b, "-t", t, "--chunk-nnz", c, "-m", m, "--on", "log1p:1e4", transposed=transposed)[1]["digest"]
                   for t, c, m in ((1, 5_000, "128MiB"), (2, 100_000, "1GiB"), (3, 2_000_000, "1GiB"))}
        assert len(digests) == 1
