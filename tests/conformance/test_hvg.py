"""`hvg` against answers worked out in 64-bit floats, and the same bits whatever the threads, chunks and memory."""
import json
import os
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from support.program import read_table, run

DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ANALYSED = sorted(path.name[:-len(".h5")] for path in (DATA / "expected").glob("*.h5") if "analysis" in h5py.File(path))


@pytest.mark.skipif(not ANALYSED, reason=f"no shared data in {DATA}")
def test_there_are_answers():
    assert len(ANALYSED) == 4


def table(binary, folder, file, *words):
    run(binary, "hvg", file, *words, "-o", folder / "genes.tsv", "--force", "-q")
    names, columns = read_words(folder / "genes.tsv")
    return names, columns


def read_words(path):
    """As read_table, with True and False."""
    text = path.read_text().replace("\tTrue", "\t1").replace("\tFalse", "\t0")
    path.write_text(text)
    _, names, columns = read_table(path)
    return names, {name: np.array(values, dtype=float) for name, values in columns.items()}


@pytest.fixture(scope="module")
def cut(quern_bin, tmp_path_factory):
    """The cells and genes that the answers are of, once a file."""
    made = {}

    def of(name):
        if name not in made:
            folder = tmp_path_factory.mktemp("cut")
            whole = folder / "whole.h5ad"
            run(quern_bin, "convert", DATA / name, "-o", whole, "-q")
            run(quern_bin, "filter", whole, "-o", folder / "cut.h5ad", "--min-genes", "1", "--min-cells", "3", "-q")
            made[name] = folder / "cut.h5ad"
        return made[name]
    return of


@pytest.mark.skipif(not ANALYSED, reason=f"no shared data in {DATA}")
@pytest.mark.parametrize("flavor", ["seurat", "cell_ranger"])
@pytest.mark.parametrize("name", ANALYSED or ["absent"])
def test_answers(name, flavor, cut, quern_bin, tmp_path):
    with h5py.File(DATA / "expected" / f"{name}.h5") as file:
        answer = {key: data[()] for key, data in file[f"analysis/hvg/{flavor}"].items()}
    top = next(key for key in answer if key.startswith("highly_variable_top_"))
    words = ["--on", "log1p:1e4", "--flavor", flavor]
    names, ours = table(quern_bin, tmp_path, cut(name), *words)
    assert len(names) == len(answer["means"])
    for key in ("means", "dispersions", "dispersions_norm"):
        np.testing.assert_allclose(ours[key], answer[key], rtol=1e-9, atol=1e-12, err_msg=key)
    np.testing.assert_array_equal(ours["highly_variable"], answer["highly_variable"])
    _, ours = table(quern_bin, tmp_path, cut(name), *words, "--n-top", top.rsplit("_", 1)[1])
    np.testing.assert_array_equal(ours["highly_variable"], answer[top])


@pytest.fixture(scope="module")
def counts(tmp_path_factory):
    """400 cells of three batches, 300 genes; counts, their logarithms, and values of both signs."""
    random = np.random.default_rng(5)
    matrix = sp.random(400, 300, density=0.2, format="csr", random_state=5, data_rvs=lambda n: random.poisson(2, n) + 1.0).astype(np.float32)
    adata = ad.AnnData(matrix)
    adata.obs["batch"] = np.array(["b", "a", "c"])[np.arange(400) % 3]
    adata.layers["log"] = matrix.log1p()
    adata.layers["halves"] = matrix * np.float32(0.5)
    path = tmp_path_factory.mktemp("hvg") / "counts.h5ad"
    adata.write_h5ad(path, compression="gzip")
    return path


HOW = {"on the fly": ["--on", "log1p:1e4"], "median": ["--on", "log1p:median"], "stored": ["--layer", "layers/log"],
       "cell_ranger": ["--on", "log1p:1e4", "--flavor", "cell_ranger"], "batches": ["--on", "log1p:1e4", "--batch-key", "batch"],
       "halves": ["--layer", "layers/halves", "--flavor", "cell_ranger"]}


@pytest.mark.parametrize("how", HOW)
def test_same_bits(how, counts, quern_bin, tmp_path):
    digests, tables = set(), set()
    for words in (["-t", "1"], ["-t", "4", "--chunk-nnz", "1"], ["-t", "3", "--chunk-nnz", "700", "--test-slots", "2"], ["--memory", "6MiB", "-t", "2"]):
        done = run(quern_bin, "hvg", counts, *HOW[how], *words, "-o", tmp_path / "o.tsv", "-f", "--json", "-")
        digests.add(json.loads(done.stdout)["digest"])
        tables.add((tmp_path / "o.tsv").read_bytes())
    assert len(digests) == len(tables) == 1


def test_on_the_fly_is_as_from_normalized_values(counts, quern_bin, tmp_path):
    """The choice is the same; the numbers differ by what 32 bits round away."""
    run(quern_bin, "normalize", counts, "--target-sum", "1e4", "-o", tmp_path / "n.h5ad", "-q")
    for flavor in ("seurat", "cell_ranger"):
        _, first = table(quern_bin, tmp_path, counts, "--on", "log1p:1e4", "--flavor", flavor)
        _, second = table(quern_bin, tmp_path, tmp_path / "n.h5ad", "--flavor", flavor)
        for key in ("means", "dispersions", "dispersions_norm"):
            np.testing.assert_allclose(first[key], second[key], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(first["highly_variable"], second["highly_variable"])


def test_permuted_cells_and_genes(counts, quern_bin, tmp_path):
    adata = ad.read_h5ad(counts)
    random = np.random.default_rng(1)
    cells, genes = random.permutation(adata.n_obs), random.permutation(adata.n_vars)
    adata[cells][:, genes].copy().write_h5ad(tmp_path / "p.h5ad")
    names, ours = table(quern_bin, tmp_path, counts, "--on", "log1p:1e4")
    shuffled, theirs = table(quern_bin, tmp_path, tmp_path / "p.h5ad", "--on", "log1p:1e4")
    order = [shuffled.index(name) for name in names]
    for key in ours:
        np.testing.assert_allclose(ours[key], theirs[key][order], rtol=1e-12)


def test_list_names_the_chosen(counts, quern_bin, tmp_path):
    names, ours = table(quern_bin, tmp_path, counts, "--on", "log1p:1e4", "--n-top", "40")
    listed = run(quern_bin, "hvg", counts, "--on", "log1p:1e4", "--n-top", "40", "--list", "-").stdout.split()
    assert listed == [name for name, chosen in zip(names, ours["highly_variable"]) if chosen] and len(listed) == 40


def test_report(counts, quern_bin):
    report = json.loads(run(quern_bin, "hvg", counts, "--on", "log1p:median", "--n-top", "40", "--batch-key", "batch", "--json", "-").stdout)
    result = report["result"]
    assert report["schema"] == "quern.hvg/1" and report["run"]["passes"] == 2
    assert result["highly_variable"] == 40 and result["n_top"] == 40 and result["max_disp"] is None and result["flavor"] == "seurat"
    assert [batch["name"] for batch in result["batches"]] == ["a", "b", "c"] and sum(batch["n_obs"] for batch in result["batches"]) == 400
    adata = ad.read_h5ad(counts)
    assert result["on"] == "log1p:median" and result["target_sum"] == np.median(np.asarray(adata.X.sum(1)))


def test_dry_run_writes_nothing(counts, quern_bin, tmp_path):
    done = run(quern_bin, "hvg", counts, "--on", "log1p:median", "-o", tmp_path / "o.h5ad", "--list", tmp_path / "l.txt", "-n", "--json", "-")
    plan = json.loads(done.stdout)["result"]["plan"]
    assert plan["passes"] == 2 and plan["needed_bytes"] > plan["ring_bytes"] > 0 and len(plan["outputs"]) == 3
    assert not list(tmp_path.iterdir())


BAD = {
    "no such column": ("--batch-key samples", 2, "no-such-column"),
    "numbers": ("--batch-key depth", 2, "numeric-labels"),
    "no bins": ("--n-bins 0", 2, "bad-number"),
    "bins of percentiles": ("--n-bins 5 --flavor cell_ranger", 2, "two-choices"),
    "not logarithms": ("--on counts-per:1e4", 2, "bad-value"),
    "flavor": ("--flavor seurat_v3", 2, "bad-value"),
    "extension": ("-o out.csv", 2, "unknown-extension"),
    "a device": ("--backend cuda", 2, "no-device-work"),
    "no top": ("--n-top 0", 2, "bad-number"),
    "memory": ("--memory 1KiB", 5, "over-budget"),
}


@pytest.mark.parametrize("what", BAD)
def test_refusals(what, counts, quern_bin, tmp_path):
    words, status, code = BAD[what]
    adata = ad.read_h5ad(counts)
    adata.obs["depth"] = np.arange(400) / 2
    adata.write_h5ad(tmp_path / "in.h5ad")
    done = run(quern_bin, "hvg", tmp_path / "in.h5ad", *words.split(), "--json", tmp_path / "o.json", expect=status, cwd=tmp_path)
    assert json.loads((tmp_path / "o.json").read_text())["error"]["code"] == code
    assert len(done.stderr.strip().splitlines()) <= 4


def write(path, matrix, **obs):
    adata = ad.AnnData(sp.csr_matrix(np.asarray(matrix, dtype=np.float32)))
    for name, values in obs.items():
        adata.obs[name] = values
    adata.write_h5ad(path)


@pytest.mark.parametrize("what, matrix, words, code", [
    ("nan", [[1, np.nan], [0.5, 2]], [], "nan-values"),
    ("counts", [[2000, 3], [1, 2]], [], "infinite-means"),
    ("negative", [[-3, 3], [1, 2]], ["--on", "log1p:1e4"], "negative-values"),
    ("equal", [[1, 0, 0, 0], [2, 0, 0, 0]], ["--flavor", "cell_ranger"], "equal-bins"),
])
def test_values_that_cannot_be(what, matrix, words, code, quern_bin, tmp_path):
    write(tmp_path / "in.h5ad", matrix)
    run(quern_bin, "hvg", tmp_path / "in.h5ad", *words, "--json", tmp_path / "o.json", expect=3)
    assert json.loads((tmp_path / "o.json").read_text())["error"]["code"] == code


def warned(binary, *words):
    report = json.loads(run(binary, "hvg", *words, "--json", "-").stdout)
    return {warning["code"] for warning in report["warnings"]}


def test_warnings(counts, quern_bin):
    assert "looks-like-counts" in warned(quern_bin, counts)
    assert "looks-like-counts" not in warned(quern_bin, counts, "--layer", "layers/log")
    assert "looks-like-counts" not in warned(quern_bin, counts, "--on", "log1p:1e4")
    assert "not-whole-numbers" in warned(quern_bin, counts, "--layer", "layers/log", "--on", "log1p:1e4")
    assert "bounds-ignored" in warned(quern_bin, counts, "--on", "log1p:1e4", "--n-top", "5", "--min-mean", "0")
    assert "no-genes-chosen" in warned(quern_bin, counts, "--on", "log1p:1e4", "--min-mean", "90")
    assert "fewer-genes" in warned(quern_bin, counts, "--on", "log1p:1e4", "--n-top", "5000")
