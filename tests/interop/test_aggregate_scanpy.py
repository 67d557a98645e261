"""`aggregate` beside scanpy's get.aggregate, and scanpy on our output."""
import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc

from support.program import run

pytestmark = pytest.mark.filterwarnings("ignore")
FUNCS = ["sum", "mean", "var", "count_nonzero"]


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("counts")
    run(quern_bin, "generate", folder / "generated.h5ad", "--preset", "pbmc3k", "--cells", "800")
    adata = sc.read_h5ad(folder / "generated.h5ad")
    random = np.random.default_rng(0)
    adata.obs["kind"] = pd.Categorical(np.array(["T", "B", "NK"])[random.integers(0, 3, adata.n_obs)], categories=["T", "none", "NK", "B"])
    adata.obs["sample"] = np.array(["s2", "s1"])[random.integers(0, 2, adata.n_obs)]
    adata.obs.loc[(adata.obs["kind"] == "NK").to_numpy(), "sample"] = "s1"  # a combination that no cell has
    adata.layers["log"] = adata.X.log1p()
    adata.write_h5ad(folder / "counts.h5ad")
    return folder / "counts.h5ad"


@pytest.mark.parametrize("layer", [None, "log"])
@pytest.mark.parametrize("by", [["kind"], ["sample"], ["sample", "kind"], ["kind", "sample"]], ids="-".join)
def test_same_as_scanpy(by, layer, counts, quern_bin, tmp_path):
    theirs = sc.get.aggregate(sc.read_h5ad(counts), by=by, func=FUNCS, layer=layer)
    words = ["--layer", f"layers/{layer}"] if layer else []
    run(quern_bin, "aggregate", counts, "--by", ",".join(by), "--func", ",".join(FUNCS), *words, "-o", tmp_path / "o.h5ad", "-q")
    ours = sc.read_h5ad(tmp_path / "o.h5ad")
    assert ours.X is None and theirs.X is None
    expected = theirs.obs.drop(columns="n_obs_aggregated", errors="ignore")
    pd.testing.assert_frame_equal(ours.obs.drop(columns="n_obs_aggregated"), expected)
    pd.testing.assert_frame_equal(ours.var, theirs.var)
    labels = sc.read_h5ad(counts).obs.groupby(by, observed=True).size()
    assert sorted(ours.obs["n_obs_aggregated"]) == sorted(labels)
    assert set(ours.layers) == set(theirs.layers)
    for name in FUNCS:
        a, b = np.asarray(ours.layers[name]), np.asarray(theirs.layers[name])
        scale = np.abs(np.asarray(theirs.layers["mean"])).max() ** 2
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6 * scale if name == "var" else 1e-12, err_msg=name)


def test_scanpy_goes_on_with_it(counts, quern_bin, tmp_path):
    run(quern_bin, "aggregate", counts, "--by", "kind,sample", "--func", "sum", "-o", tmp_path / "o.h5ad", "-q")
    bulk = sc.read_h5ad(tmp_path / "o.h5ad")
    bulk.X = bulk.layers["sum"].copy()
    sc.pp.normalize_total(bulk)
    sc.pp.log1p(bulk)
    sc.pp.pca(bulk, n_comps=2)
    assert np.isfinite(bulk.obsm["X_pca"]).all()
    bulk.write_h5ad(tmp_path / "again.h5ad")
    assert ad.read_h5ad(tmp_path / "again.h5ad").shape == bulk.shape
