"""`gram` on every fixture, and on every shared real file against the answers kept."""
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
EXPECTED = DATA / "expected"


def matrices():
    for path in sorted(EXPECTED.glob("*.h5")) if EXPECTED.is_dir() else []:
        with h5py.File(path, "r") as answers:
            found = []
            answers.visit(lambda name, found=found: found.append(name) if name.endswith("products/gram") else None)
        for name in found:
            yield path.name[:-len(".h5")], name[:-len("/products/gram")]


MATRICES = list(matrices())
needs_data = pytest.mark.skipif(not MATRICES, reason=f"no shared data in {DATA}")


def test_there_are_cases():
    assert len(CASES) > 100


def gram(binary, folder, file, *arguments, kind="gram"):
    out = folder / f"{kind}.npy"
    report = json.loads(run(binary, "gram", file, *arguments, "--kind", kind, "-o", out, "--json", "-", "-f").stdout)
    names = [(folder / f"{kind}.{which}.tsv").read_text(encoding="utf-8").splitlines() for which in ("rows", "cols")]
    assert names[0] == names[1] and names[0][0] == "gene"
    return np.load(out), names[0][1:], report


def only(binary, folder, file, how, wanted):
    """Options that choose the genes at these places and all others of their names; the places of what is then chosen."""
    run(binary, "qc", file, *how, "--genes-out", folder / "genes.tsv", "--percent-top", "none", "-q")
    names = np.array(read_table(folder / "genes.tsv")[1])
    (folder / "list.txt").write_text("".join(f"{name}\n" for name in names[wanted]), encoding="utf-8")
    return ["--genes", f"@{folder / 'list.txt'}"], np.flatnonzero(np.isin(names, names[wanted]))


def centred(matrix, kind):
    """Covariance or correlation of the columns; no correlation where a column does not vary."""
    values = matrix - matrix.mean(axis=0)
    cov = values.T @ values / (len(values) - 1)
    if kind == "cov":
        return cov
    spread = np.sqrt(np.diag(cov))
    spread[np.ptp(matrix, axis=0) == 0] = np.nan
    return cov / np.outer(spread, spread)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fixture(case, quern_bin, tmp_path):
    truth = np.load(FIXTURES / case["truth"])
    shape = (case["n_obs"], case["n_vars"])
    matrix = sp.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=shape).toarray()
    file = FIXTURES / case["path"]
    if shape[1] == 0:
        assert "[no-genes]" in run(quern_bin, "gram", file, *case["arguments"], "-o", tmp_path / "a.npy", expect=3).stderr
        return
    how, n_genes = case["arguments"], shape[1]
    if n_genes > 10000:
        chosen, places = only(quern_bin, tmp_path, file, how, np.flatnonzero(abs(matrix).sum(axis=0))[:300])
        how, matrix, n_genes = [*how, *chosen], matrix[:, places], len(places)
    if not np.isfinite(matrix).all():
        failed = run(quern_bin, "gram", file, *how, "-o", tmp_path / "a.npy", expect=3)
        assert "[not-finite]" in failed.stderr
        assert not list(tmp_path.iterdir())
        return
    products, names, report = gram(quern_bin, tmp_path, file, *how)
    assert len(names) == n_genes and report["result"]["n_genes"] == n_genes
    with np.errstate(over="ignore", invalid="ignore"):
        expected, magnitude = matrix.T @ matrix, abs(matrix).T @ abs(matrix)
        finite = np.isfinite(magnitude)
        assert (abs(products - expected) <= 1e-12 * magnitude)[finite].all()
    if report["result"]["exact"]:
        np.testing.assert_array_equal(products, expected)
    np.testing.assert_array_equal(products, products.T)
    if shape[0] < 2 or not finite.all():
        return
    for kind in ("cov", "corr"):
        found, _, _ = gram(quern_bin, tmp_path, file, *how, kind=kind)
        expected = centred(matrix, kind)
        if kind == "cov":
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11 * magnitude.max())
        else:
            scale = np.sqrt(np.outer(np.diag(magnitude), np.diag(magnitude)))
            cov = centred(matrix, "cov")
            known = np.outer(np.diag(cov), np.diag(cov)) > (1e-8 * scale) ** 2  # elsewhere both are rounding
            np.testing.assert_allclose(found[known], expected[known], atol=1e-7)
            assert np.isnan(found[np.ptp(matrix, axis=0) == 0]).all()


@needs_data
@pytest.mark.parametrize("name,matrix", MATRICES or [("absent", "X")])
def test_shared_file(name, matrix, quern_bin, tmp_path):
    with h5py.File(EXPECTED / f"{name}.h5", "r") as answers:
        products = answers[f"{matrix}/products/gram"][()]
        correlation = answers[f"{matrix}/products/correlation"][()]
        genes = answers[f"{matrix}/products/gram_genes"][()]
    how = ["--genome", matrix[len("genome/"):]] if matrix.startswith("genome/") else ["--layer", matrix]
    if not name.endswith(".h5ad") and not matrix.startswith("genome/"):
        how = ["--feature-type", "all"]
    if not np.isfinite(products).all():
        run(quern_bin, "gram", DATA / name, *how, "-o", tmp_path / "a.npy", expect=3)
        return
    chosen, places = only(quern_bin, tmp_path, DATA / name, how, genes.astype(int))
    how += chosen
    found, _, report = gram(quern_bin, tmp_path, DATA / name, *how)
    result = report["result"]
    order = np.searchsorted(places, genes)
    if result["exact"]:
        np.testing.assert_array_equal(found[np.ix_(order, order)], products)
    np.testing.assert_allclose(found[np.ix_(order, order)], products, rtol=1e-12, atol=1e-12 * abs(products).max())
    found, _, _ = gram(quern_bin, tmp_path, DATA / name, *how, kind="corr")
    np.testing.assert_allclose(found[np.ix_(order, order)], correlation, atol=1e-9)
    assert len(places) == result["n_genes"]


@pytest.mark.parametrize("how", [["-t", 1], ["-t", 3, "--chunk-nnz", 100], ["-m", "96MiB"], ["--test-slots", 2, "--chunk-nnz", 1]])
def test_same_digest(how, quern_bin, fixtures_dir, tmp_path):
    file = fixtures_dir / "generation-0.7.h5ad"
    digests = {json.loads(run(quern_bin, "gram", file, "--kind", "corr", "-o", tmp_path / f"{i}.npy", "--json", "-", *words).stdout)["digest"]
               for i, words in enumerate(([], how))}
    assert len(digests) == 1


def test_table_is_the_matrix(quern_bin, fixtures_dir, tmp_path):
    file = fixtures_dir / "generation-0.7.h5ad"
    products, names, _ = gram(quern_bin, tmp_path, file, kind="cov")
    run(quern_bin, "gram", file, "--kind", "cov", "-o", tmp_path / "cov.tsv.gz")
    corner, rows, columns = read_table(tmp_path / "cov.tsv.gz")
    assert (corner, rows) == ("gene", names)
    assert np.array_equal(np.array([columns[name] for name in names], dtype=float).T, products)
