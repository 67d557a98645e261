"""`pca` as a user meets it: what is refused, and how; which genes are taken; what stays of the file."""
import json

import anndata as ad
import numpy as np
import pytest
import scipy.sparse as sp

from support.program import run


def write(path, matrix, **var):
    adata = ad.AnnData(sp.csr_matrix(np.asarray(matrix, dtype="f4")))
    for name, column in var.items():
        adata.var[name] = column
    adata.write_h5ad(path)
    return path


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    random = np.random.default_rng(5)
    values = random.poisson(1.0, (30, 12))
    values[values.sum(axis=1) == 0] += 1
    return write(tmp_path_factory.mktemp("pca") / "in.h5ad", values, chosen=np.arange(12) % 2 == 0, highly_variable=np.arange(12) < 8)


@pytest.mark.parametrize("words,code,status", [
    ([], "missing-option", 2),
    (["-o", "a.txt"], "unknown-extension", 2),
    (["-o", "a.h5ad", "--n-comps", "0"], "bad-number", 2),
    (["-o", "a.h5ad", "--n-comps", "8"], "too-many-components", 2),
    (["-o", "a.h5ad", "--mask", "none", "--n-comps", "12"], "too-many-components", 2),
    (["-o", "a.h5ad", "--mask", "var/chosne"], "no-such-column", 2),
    (["-o", "a.h5ad", "--genes", "@names"], "no-such-genes", 2),
    (["-o", "a.h5ad", "--genes", "@one"], "too-few-genes", 3),
    (["-o", "a.h5ad", "--on", "log2"], "bad-value", 2),
    (["-o", "a.h5ad", "--backend", "cuda"], "no-device-work", 2),
    (["-o", "a.h5ad", "-m", "3MiB"], "over-budget", 5),
])
def test_refusals(words, code, status, quern_bin, file, tmp_path):
    (tmp_path / "names").write_text("0\nnobody\n")
    (tmp_path / "one").write_text("3\n")
    done = run(quern_bin, "pca", file, *words, expect=status, cwd=tmp_path)
    assert f"[{code}]" in done.stderr and len(done.stderr.splitlines()) <= 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["names", "one"]


@pytest.mark.parametrize("values,code", [
    (np.ones((1, 5)), "too-few-cells"), (np.ones((4, 1)), "too-few-genes"),
    (np.where(np.eye(6) > 0, np.nan, 1.0), "not-finite"), (np.where(np.eye(6) > 0, np.inf, 1.0), "not-finite")])
def test_bad_matrices(values, code, quern_bin, tmp_path):
    write(tmp_path / "in.h5ad", values)
    done = run(quern_bin, "pca", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", expect=3)
    assert f"[{code}]" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.h5ad"]


@pytest.mark.parametrize("words,mask,n", [
    ([], "highly_variable", 8), (["--mask", "var/chosen"], "chosen", 6), (["--mask", "none"], None, 12), (["--genes", "@list"], None, 3)])
def test_which_genes(words, mask, n, quern_bin, file, tmp_path):
    (tmp_path / "list").write_text("1\n5\n9\n")
    report = json.loads(run(quern_bin, "pca", file, *words, "--n-comps", 2, "-o", "a.h5ad", "--json", "-", cwd=tmp_path).stdout)
    assert report["result"]["n_genes"] == n
    out = ad.read_h5ad(tmp_path / "a.h5ad")
    params = out.uns["pca"]["params"]
    assert params["zero_center"] and params["use_highly_variable"] == (mask == "highly_variable") and params.get("mask_var") == mask
    assert (abs(out.varm["PCs"]).sum(axis=1) > 0).sum() == n


def test_what_was_there_is_replaced_and_the_rest_stays(quern_bin, file, tmp_path):
    run(quern_bin, "pca", file, "--n-comps", 2, "-o", tmp_path / "a.h5ad")
    adata = ad.read_h5ad(tmp_path / "a.h5ad")
    adata.obsm["X_other"] = np.arange(60.0).reshape(30, 2)
    adata.write_h5ad(tmp_path / "b.h5ad")
    run(quern_bin, "pca", tmp_path / "b.h5ad", "--n-comps", 3, "-o", tmp_path / "c.h5ad", "--no-provenance")
    out = ad.read_h5ad(tmp_path / "c.h5ad")
    assert out.obsm["X_pca"].shape == (30, 3) and out.varm["PCs"].shape == (12, 3) and len(out.uns["pca"]["variance"]) == 3
    np.testing.assert_array_equal(out.obsm["X_other"], adata.obsm["X_other"])
    assert (out.X != adata.X).nnz == 0 and list(out.var) == list(adata.var)


def test_a_matrix_that_does_not_vary(quern_bin, tmp_path):
    write(tmp_path / "in.h5ad", np.ones((5, 4)))
    report = json.loads(run(quern_bin, "pca", tmp_path / "in.h5ad", "-o", tmp_path / "out.npy", "--json", "-").stdout)
    assert report["result"]["variance"] == [0, 0, 0] and report["result"]["variance_ratio"] == [None] * 3
    assert (np.load(tmp_path / "out.npy") == 0).all()


def test_dry_run_writes_nothing(quern_bin, file, tmp_path):
    report = json.loads(run(quern_bin, "pca", file, "-o", tmp_path / "a.h5ad", "-n", "--json", "-", "--on", "log1p:median").stdout)
    assert report["result"]["plan"]["passes"] == 2 and not list(tmp_path.iterdir())


def test_10x(quern_bin, file, tmp_path):
    """A 10x file becomes an h5ad with the components."""
    run(quern_bin, "convert", file, "-o", tmp_path / "a.h5", "-q")
    run(quern_bin, "pca", tmp_path / "a.h5", "--n-comps", 2, "-o", tmp_path / "a.h5ad", "-q")
    assert ad.read_h5ad(tmp_path / "a.h5ad").obsm["X_pca"].shape == (30, 2)
