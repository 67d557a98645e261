"""`--layer raw` of the verbs that write an h5ad, beside what anndata's raw.to_adata() gives and scanpy does with it."""
import json
import os
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

from support.compare_anndata import difference, plain_index
from support.program import run

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
GENERATIONS = ["generation-0.7", "generation-0.6", "generation-0.6-late"]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module", name="scaled")
def _scaled(tmp_path_factory):
    """60 cells of 20 scaled genes, and 50 genes with counts in raw, with something of every kind beside them."""
    rng = np.random.default_rng(5)
    counts = sp.csr_matrix(rng.poisson(0.7, (60, 50)).astype("f4"))
    whole = ad.AnnData(counts, var=pd.DataFrame({"kind": pd.Categorical(np.array(["a", "b"])[np.arange(50) % 2])}, index=[f"g{i}" for i in range(50)]))
    whole.varm["of raw"] = rng.random((50, 3))
    adata = whole[:, :20].copy()
    del adata.varm["of raw"]
    adata.X = adata.X.toarray() - 1
    adata.layers["half"] = adata.X / 2
    adata.varm["load"], adata.varp["pair"] = rng.random((20, 2)), sp.random(20, 20, 0.2, format="csr", random_state=1)
    adata.obsm["place"], adata.obsp["near"] = rng.random((60, 2)), sp.random(60, 60, 0.1, format="csr", random_state=2)
    adata.obs["group"] = pd.Categorical(np.array(["x", "y", "z"])[np.arange(60) % 3])
    adata.uns["group_colors"], adata.uns["note"] = ["#000000", "#111111", "#222222"], "kept"
    adata.raw = whole
    path = tmp_path_factory.mktemp("scaled") / "scaled.h5ad"
    adata.write_h5ad(path)
    return path


def raw_of(path):
    adata = sc.read_h5ad(path).raw.to_adata()
    adata.obs, adata.var = plain_index(adata.obs), plain_index(adata.var)
    return adata


def written(quern_bin, out, *words):
    done = run(quern_bin, *words, "-o", out, "--json", f"{out}.json")
    adata = sc.read_h5ad(out)
    assert adata.raw is None
    return adata, {warning["code"]: warning["text"] for warning in json.loads(Path(f"{out}.json").read_text())["warnings"]}, done


@pytest.mark.parametrize("name", GENERATIONS)
def test_convert_is_to_adata(name, quern_bin, tmp_path):
    ours, warnings, _ = written(quern_bin, tmp_path / "out.h5ad", "convert", FIXTURES / f"{name}.h5ad", "--layer", "raw")
    assert difference(raw_of(FIXTURES / f"{name}.h5ad"), ours, without=("uns/quern",)) is None
    assert "X" in warnings["left-out"]


def test_convert_leaves_out_by_name(scaled, quern_bin, tmp_path):
    ours, warnings, done = written(quern_bin, tmp_path / "out.h5ad", "convert", scaled, "--layer", "raw")
    assert difference(raw_of(scaled), ours, without=("uns/quern",)) is None and list(ours.varm) == ["of raw"]
    assert "var, X, layers/half, varm/load, varp/pair" in warnings["left-out"] and "layers/half" in done.stderr


def test_normalize(scaled, quern_bin, tmp_path):
    theirs = raw_of(scaled)
    counts = theirs.X.copy()
    sc.pp.normalize_total(theirs, target_sum=1e4)
    sc.pp.log1p(theirs)
    ours, warnings, _ = written(quern_bin, tmp_path / "out.h5ad", "normalize", scaled, "--layer", "raw", "--target-sum", "1e4", "--counts-layer", "counts")
    assert (ours.layers["counts"] != counts).nnz == 0
    del ours.layers["counts"]
    np.testing.assert_allclose(ours.X.toarray(), theirs.X.toarray(), rtol=1e-6)
    assert difference(theirs, ours, without=("X", "uns/log1p", "uns/quern")) is None and "left-out" in warnings


def test_filter_by_genes(scaled, quern_bin, tmp_path):
    theirs = raw_of(scaled)
    sc.pp.filter_cells(theirs, min_genes=22)
    sc.pp.filter_genes(theirs, min_cells=25)
    assert 0 < theirs.n_obs < 60 and 0 < theirs.n_vars < 50
    words = ["filter", scaled, "--layer", "raw", "--min-genes", "22", "--min-cells", "25"]
    ours, warnings, _ = written(quern_bin, tmp_path / "out.h5ad", *words)
    assert difference(theirs, ours, without=("uns/quern",)) is None and "left-out" in warnings
    plan = json.loads(run(quern_bin, *words, "-o", tmp_path / "plan.h5ad", "-n", "--json", "-").stdout)["result"]["plan"]
    assert plan["least_bytes"] <= plan["budget_bytes"]


def test_filter_by_a_list_of_genes(scaled, quern_bin, tmp_path):
    (tmp_path / "genes.txt").write_text("g3\ng40\ng41\n")
    ours, _, _ = written(quern_bin, tmp_path / "out.h5ad", "filter", scaled, "--layer", "raw", "--keep-genes", f"@{tmp_path}/genes.txt")
    assert difference(raw_of(scaled)[:, ["g3", "g40", "g41"]].copy(), ours, without=("uns/quern",)) is None


def test_filter_by_cells_alone_keeps_all_genes(scaled, quern_bin, tmp_path):
    run(quern_bin, "filter", scaled, "--layer", "raw", "-o", tmp_path / "out.h5ad", "--min-genes", "22", "-q")
    ours = sc.read_h5ad(tmp_path / "out.h5ad")
    assert ours.n_vars == 20 and ours.raw.shape[1] == 50 and list(ours.layers) == ["half"]
