"""`gram` as a user meets it: what is refused, and how; what is chosen; what is written."""
import json

import anndata
import numpy as np
import pytest
import scipy.sparse as sp

from support.program import run


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    random = np.random.default_rng(5)
    counts = sp.random(40, 12, density=0.4, random_state=random, data_rvs=lambda n: random.integers(1, 9, n)).tocsr().astype("f4")
    names = ["A", "B", "C", "C", *(f"G{i}" for i in range(8))]
    adata = anndata.AnnData(counts)
    adata.var_names = names
    adata.var["chosen"] = np.arange(12) % 2 == 0
    adata.var["none"] = False
    adata.var["part"] = ["yes"] * 6 + ["no"] * 6
    path = tmp_path_factory.mktemp("gram") / "in.h5ad"
    adata.write_h5ad(path)
    return path


@pytest.mark.parametrize("words,code,status", [
    ([], "missing-option", 2),
    (["-o", "a.h5ad"], "unknown-extension", 2),
    (["-o", "a.npy", "--kind", "covariance"], "bad-value", 2),
    (["-o", "a.npy", "--genes", "list"], "bad-list", 2),
    (["-o", "a.npy", "--genes", "@absent"], "unreadable-list", 3),
    (["-o", "a.npy", "--genes", "@names", "--mask", "var/chosen"], "two-choices", 2),
    (["-o", "a.npy", "--genes", "@names"], "no-such-genes", 2),
    (["-o", "a.npy", "--mask", "chosen"], "bad-value", 2),
    (["-o", "a.npy", "--mask", "var/chosne"], "no-such-column", 2),
    (["-o", "a.npy", "--mask", "var/part"], "bad-mask", 2),
    (["-o", "a.npy", "--mask", "var/none"], "no-genes-chosen", 2),
    (["-o", "a.npy", "--on", "log1p"], "bad-value", 2),
    (["-o", "a.npy", "-m", "3MiB"], "over-budget", 5),
    (["-o", "names", "-f"], "unknown-extension", 2),
])
def test_refusals(words, code, status, quern_bin, file, tmp_path):
    (tmp_path / "names").write_text("A\nnobody\nC\n")
    done = run(quern_bin, "gram", file, *words, expect=status, cwd=tmp_path)
    assert f"[{code}]" in done.stderr and len(done.stderr.splitlines()) <= 3
    assert [path.name for path in tmp_path.iterdir()] == ["names"]


def test_suggestions(quern_bin, file, tmp_path):
    assert "did you mean chosen?" in run(quern_bin, "gram", file, "-o", tmp_path / "a.npy", "--mask", "var/chosne", expect=2).stderr
    needed = run(quern_bin, "gram", file, "-o", tmp_path / "a.npy", "-m", "3MiB", expect=5).stderr
    enough = needed.split("give --memory ")[1].split("MiB")[0]
    run(quern_bin, "gram", file, "-o", tmp_path / "a.npy", "-m", f"{enough}MiB")


def test_choice_of_genes(quern_bin, file, tmp_path):
    matrix = anndata.read_h5ad(file).X.toarray().astype(float)
    (tmp_path / "names").write_text("G7\nC\r\n\nA\n")
    for words, places in ((["--genes", "@names"], [0, 2, 3, 11]), (["--mask", "var/chosen"], np.arange(0, 12, 2)), ([], np.arange(12))):
        report = json.loads(run(quern_bin, "gram", file, *words, "-o", "a.npy", "--json", "-", "-f", cwd=tmp_path).stdout)
        assert report["result"]["exact"] and report["result"]["n_genes"] == len(places)
        np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), matrix[:, places].T @ matrix[:, places])
        names = (tmp_path / "a.rows.tsv").read_text().splitlines()
        assert names[1:] == list(anndata.read_h5ad(file).var_names[places])


def test_values_on_the_fly_are_those_of_normalize(quern_bin, file, tmp_path):
    """Bit by bit, and with a median, too."""
    for target in ("1e4", "median"):
        run(quern_bin, "normalize", file, "-o", tmp_path / "n.h5ad", "--target-sum", target, "-f", "-q")
        digests = [json.loads(run(quern_bin, "gram", path, *words, "-o", tmp_path / "a.npy", "--json", "-", "-f").stdout)["digest"]
                   for path, words in ((file, ["--on", f"log1p:{target}"]), (tmp_path / "n.h5ad", []))]
        assert digests[0] == digests[1]


def test_permuted_cells_and_genes(quern_bin, file, tmp_path):
    adata = anndata.read_h5ad(file)
    random = np.random.default_rng(2)
    cells, genes = random.permutation(40), random.permutation(12)
    adata[cells, genes].copy().write_h5ad(tmp_path / "p.h5ad")
    for path, out in ((file, "a.npy"), (tmp_path / "p.h5ad", "b.npy")):
        run(quern_bin, "gram", path, "-o", tmp_path / out)
    np.testing.assert_array_equal(np.load(tmp_path / "b.npy"), np.load(tmp_path / "a.npy")[np.ix_(genes, genes)])


def test_constant_gene(quern_bin, tmp_path):
    values = np.arange(12.0).reshape(4, 3)
    values[:, 1] = 0.1
    anndata.AnnData(sp.csr_matrix(values)).write_h5ad(tmp_path / "in.h5ad")
    report = json.loads(run(quern_bin, "gram", tmp_path / "in.h5ad", "--kind", "corr", "-o", tmp_path / "a.npy", "--json", "-").stdout)
    assert [warning["code"] for warning in report["warnings"]] == ["constant-genes"]
    found = np.load(tmp_path / "a.npy")
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all()
    np.testing.assert_allclose(found[np.ix_([0, 2], [0, 2])], 1)


def test_dry_run_writes_nothing(quern_bin, file, tmp_path):
    report = json.loads(run(quern_bin, "gram", file, "-o", tmp_path / "a.npy", "-n", "--json", "-", "--on", "log1p:median").stdout)
    assert report["result"]["plan"]["passes"] == 2 and not list(tmp_path.iterdir())


def test_one_cell(quern_bin, tmp_path):
    anndata.AnnData(np.array([[1.0, 2.0]], dtype="f4")).write_h5ad(tmp_path / "in.h5ad")
    assert "[too-few-cells]" in run(quern_bin, "gram", tmp_path / "in.h5ad", "--kind", "cov", "-o", tmp_path / "a.npy", expect=3).stderr
    run(quern_bin, "gram", tmp_path / "in.h5ad", "-o", tmp_path / "a.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), [[1, 2], [2, 4]])
