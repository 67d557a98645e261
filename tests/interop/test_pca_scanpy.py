"""`pca` beside scanpy's pp.pca, and what scanpy does next on either."""
import json
import warnings

import anndata as ad
import numpy as np
import pytest
import scanpy as sc

from support.program import run


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    """1,200 cells with counts and a column of variable genes."""
    folder = tmp_path_factory.mktemp("counts")
    run(quern_bin, "generate", folder / "generated.h5ad", "--preset", "pbmc3k", "--cells", "1200")
    adata = sc.read_h5ad(folder / "generated.h5ad")
    sc.pp.filter_genes(adata, min_cells=3)
    sc.pp.filter_cells(adata, min_counts=1)
    logs = adata.copy()
    sc.pp.normalize_total(logs, target_sum=1e4)
    sc.pp.log1p(logs)
    sc.pp.highly_variable_genes(logs, n_top_genes=500)
    adata.var["highly_variable"] = logs.var["highly_variable"]
    adata.write_h5ad(folder / "counts.h5ad", compression="gzip")
    return folder / "counts.h5ad"


@pytest.fixture(scope="module")
def both(quern_bin, counts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    theirs = sc.read_h5ad(counts)
    sc.pp.normalize_total(theirs, target_sum=1e4)
    sc.pp.log1p(theirs)
    theirs.X = theirs.X.astype("f8")  # else ARPACK works in 32 bits
    sc.pp.pca(theirs, n_comps=30)
    run(quern_bin, "normalize", counts, "-o", folder / "n.h5ad", "--target-sum", "1e4", "-q")
    run(quern_bin, "pca", folder / "n.h5ad", "--n-comps", 30, "-o", folder / "pca.h5ad", "-q")
    run(quern_bin, "pca", counts, "--on", "log1p:1e4", "--n-comps", 30, "-o", folder / "on.h5ad", "-q")
    return theirs, folder / "pca.h5ad", folder / "on.h5ad"


def test_numbers(both):
    theirs, path, _ = both
    ours = sc.read_h5ad(path)
    for key in ("variance", "variance_ratio"):
        np.testing.assert_allclose(ours.uns["pca"][key], theirs.uns["pca"][key], rtol=1e-5)
    np.testing.assert_allclose(ours.varm["PCs"][:, :8], theirs.varm["PCs"][:, :8], atol=1e-4)
    np.testing.assert_allclose(ours.obsm["X_pca"][:, :8], theirs.obsm["X_pca"][:, :8], atol=2e-3)
    cosines = (ours.varm["PCs"] * theirs.varm["PCs"]).sum(axis=0)
    assert cosines[:15].min() > 1 - 1e-5, "signs and directions"


def test_form(both):
    theirs, path, _ = both
    ours = sc.read_h5ad(path)
    assert ours.varm["PCs"].dtype == theirs.varm["PCs"].dtype and ours.obsm["X_pca"].dtype == theirs.obsm["X_pca"].dtype
    assert ours.uns["pca"]["params"] == theirs.uns["pca"]["params"]
    assert {type(value) for value in ours.uns["pca"]["params"].values()} <= {bool, np.bool_, str}
    assert set(ours.uns["pca"]) == set(theirs.uns["pca"])
    np.testing.assert_array_equal((ours.varm["PCs"] == 0).all(axis=1), ~theirs.var["highly_variable"])


def test_without_a_file_between(both):
    _, path, on = both
    a, b = sc.read_h5ad(path), sc.read_h5ad(on)
    np.testing.assert_array_equal(a.obsm["X_pca"], b.obsm["X_pca"])
    np.testing.assert_array_equal(a.varm["PCs"], b.varm["PCs"])


def test_what_scanpy_does_next(both):
    """Neighbours and a UMAP, and a second pca, on our file as on scanpy's own, with no warning more."""
    theirs, path, _ = both
    seen = []
    for adata in (theirs.copy(), sc.read_h5ad(path)):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sc.pp.neighbors(adata, n_neighbors=10)
            sc.tl.umap(adata)
        seen.append((adata, {str(warning.message) for warning in caught}))
    assert seen[1][1] <= seen[0][1]
    a, b = (adata.obsp["connectivities"].toarray() > 0 for adata, _ in seen)
    assert (a & b).sum() > 0.99 * (a | b).sum()
    assert seen[1][0].obsm["X_umap"].shape == (theirs.n_obs, 2)
    assert seen[1][0].uns["neighbors"]["params"] == seen[0][0].uns["neighbors"]["params"]


def test_rewritten_by_anndata(both, quern_bin, tmp_path):
    _, path, _ = both
    ad.read_h5ad(path).write_h5ad(tmp_path / "again.h5ad")
    report = json.loads(run(quern_bin, "check", "--deep", tmp_path / "again.h5ad", path, "--json", "-").stdout)
    assert report["result"]["ok"]
