"""`hvg` beside scanpy's highly_variable_genes: values, types, ties, batches, and what scanpy does with our file."""
import os
from pathlib import Path

import anndata as ad
import hdf5plugin  # noqa: F401  zstd and blosc
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

from support.program import run

DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
NUMBERS = ["means", "dispersions", "dispersions_norm"]
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("counts")
    run(quern_bin, "generate", folder / "generated.h5ad", "--preset", "pbmc3k", "--cells", "900")
    adata = sc.read_h5ad(folder / "generated.h5ad")
    sc.pp.filter_genes(adata, min_cells=2)
    sc.pp.filter_cells(adata, min_counts=1)
    batch = np.array(["x", "y", "a b"], dtype=object)[np.arange(adata.n_obs) % 3]
    batch[::50] = np.nan
    adata.obs["batch"] = pd.Categorical(batch, categories=["y", "x", "a b"])
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    adata.write_h5ad(folder / "log.h5ad")
    return folder / "log.h5ad"


def both(binary, path, folder, words, **options):
    theirs = sc.read_h5ad(path)
    sc.pp.highly_variable_genes(theirs, **options)
    run(binary, "hvg", path, *words, "-o", folder / "out.h5ad", "-q", "--force")
    return sc.read_h5ad(folder / "out.h5ad"), theirs


def compare(ours, theirs, rtol=1e-4, atol=2e-5):
    assert ours.uns["hvg"] == theirs.uns["hvg"]
    added = [name for name in theirs.var.columns if name in ours.var.columns]
    assert list(ours.var.columns) == list(theirs.var.columns)
    for name in added:
        assert ours.var[name].dtype == theirs.var[name].dtype, name
    for name in NUMBERS:
        np.testing.assert_allclose(ours.var[name], theirs.var[name], rtol=rtol, atol=atol, err_msg=name)
    differ = (ours.var["highly_variable"] != theirs.var["highly_variable"]).sum()
    assert differ <= 2, f"{differ} genes"  # those at a threshold


WAYS = {
    "bounds": ([], {}),
    "own-bounds": (["--min-mean", "0.05", "--max-mean", "2", "--min-disp", "0.2", "--max-disp", "4"],
                   {"min_mean": 0.05, "max_mean": 2, "min_disp": 0.2, "max_disp": 4}),
    "bins": (["--n-bins", "7"], {"n_bins": 7}),
    "top": (["--n-top", "300"], {"n_top_genes": 300}),
    "too-many": (["--n-top", "100000"], {"n_top_genes": 100000}),
    "cell-ranger": (["--flavor", "cell_ranger"], {"flavor": "cell_ranger"}),
    "cell-ranger-top": (["--flavor", "cell_ranger", "--n-top", "300"], {"flavor": "cell_ranger", "n_top_genes": 300}),
}


@pytest.mark.parametrize("way", WAYS)
def test_one_batch(way, counts, quern_bin, tmp_path):
    words, options = WAYS[way]
    compare(*both(quern_bin, counts, tmp_path, words, **options))


@pytest.mark.parametrize("way", ["bounds", "top", "bins"])
def test_batches(way, counts, quern_bin, tmp_path):
    words, options = WAYS[way]
    ours, theirs = both(quern_bin, counts, tmp_path, [*words, "--batch-key", "batch"], batch_key="batch", **options)
    compare(ours, theirs)
    assert (ours.var["highly_variable_nbatches"] != theirs.var["highly_variable_nbatches"]).sum() <= 3
    assert (ours.var["highly_variable_intersection"] != theirs.var["highly_variable_intersection"]).sum() <= 3


def test_ties_in_batches_follow_the_names(quern_bin, tmp_path):
    """Genes of the same numbers, more of them than are wanted."""
    random = np.random.default_rng(2)
    block = random.poisson(1.5, (60, 6)).astype(np.float32)
    others = random.poisson(random.uniform(0.1, 3, 90), (60, 90))
    adata = ad.AnnData(sp.csr_matrix(np.log1p(np.hstack([np.tile(block, 5), others]))))
    adata.var_names = [f"{c}{i}" for i, c in enumerate(4 * "zyxwvutsrqponmlkjihgfedcbaZYXW")]
    adata.obs["batch"] = pd.Categorical(np.array(["1", "2"])[np.arange(60) % 2])
    adata.write_h5ad(tmp_path / "in.h5ad")
    for n in (3, 7, 11, 29):
        ours, theirs = both(quern_bin, tmp_path / "in.h5ad", tmp_path, ["--n-top", str(n), "--batch-key", "batch"],
                            n_top_genes=n, batch_key="batch")
        assert ours.var["highly_variable"].sum() == n
        np.testing.assert_allclose(ours.var["dispersions_norm"], theirs.var["dispersions_norm"], rtol=1e-4)


def test_ties_may_exceed_n_top(quern_bin, tmp_path):
    random = np.random.default_rng(2)
    block = random.poisson(1.5, (60, 6)).astype(np.float64)
    others = random.poisson(random.uniform(0.1, 3, 90), (60, 90))
    adata = ad.AnnData(sp.csr_matrix(np.log1p(np.hstack([np.tile(block, 5), others]))))
    adata.write_h5ad(tmp_path / "in.h5ad")
    sizes = set()
    for n in range(1, 30):
        ours, theirs = both(quern_bin, tmp_path / "in.h5ad", tmp_path, ["--n-top", str(n)], n_top_genes=n)
        chosen = ours.var["highly_variable"].to_numpy()
        assert chosen[:30].reshape(5, 6).all(axis=0).tolist() == chosen[:30].reshape(5, 6).any(axis=0).tolist()
        sizes.add(int(chosen.sum()) - n)
        compare(ours, theirs)
    assert max(sizes) > 0


def test_other_base(counts, quern_bin, tmp_path):
    adata = sc.read_h5ad(counts)
    adata.X = adata.X / np.float32(np.log(2))
    adata.uns["log1p"] = {"base": 2.0}
    adata.write_h5ad(tmp_path / "two.h5ad")
    compare(*both(quern_bin, tmp_path / "two.h5ad", tmp_path, []))


def test_genes_without_cells_and_constant_genes(quern_bin, tmp_path):
    random = np.random.default_rng(3)
    matrix = random.poisson(0.7, (50, 80)).astype(np.float32)
    matrix[:, 5] = 0
    matrix[:, 6] = 2
    adata = ad.AnnData(sp.csr_matrix(np.log1p(matrix)))
    adata.write_h5ad(tmp_path / "in.h5ad")
    compare(*both(quern_bin, tmp_path / "in.h5ad", tmp_path, []), atol=1e-3)


def test_our_choice_is_used_by_scanpys_pca(counts, quern_bin, tmp_path):
    ours, _ = both(quern_bin, counts, tmp_path, ["--n-top", "300"], n_top_genes=300)
    sc.pp.pca(ours, n_comps=5)
    assert (ours.varm["PCs"][~ours.var["highly_variable"].to_numpy()] == 0).all()


WITH_X = sorted(path.name for path in DATA.glob("*.h5ad"))


@pytest.mark.skipif(not WITH_X, reason=f"no shared data in {DATA}")
@pytest.mark.parametrize("flavor", ["seurat", "cell_ranger"])
@pytest.mark.parametrize("name", WITH_X or ["absent"])
def test_shared_files(name, flavor, quern_bin, tmp_path):
    """X of every file on its logarithms of counts per 10,000, where scanpy can; where it refuses, so do we or we say why not."""
    theirs = sc.read_h5ad(DATA / name)
    if theirs.X is None or theirs.n_obs < 2:
        return
    theirs.var_names_make_unique()
    X = sp.csr_matrix(theirs.X).astype(np.float64)
    X.sum_duplicates()
    totals = np.asarray(X.sum(1)).ravel()
    with np.errstate(all="ignore"):
        factor = totals / 1e4
        X = sp.diags(1 / np.where(factor == 0, 1, factor)) @ X
        L = ad.AnnData(X.log1p().tocsr(), var=theirs.var[[]])
    done = run_any(quern_bin, "hvg", DATA / name, "--on", "log1p:1e4", "--flavor", flavor, "-o", tmp_path / "out.tsv", "-q")
    try:
        sc.pp.highly_variable_genes(L, flavor=flavor)
    except Exception:  # noqa: BLE001  bins of no width, infinite or missing means
        assert done.returncode == 3
        return
    if done.returncode == 3:
        assert np.isnan(X.data).any() or (X.data < 0).any()
        return
    assert done.returncode == 0, done.stderr
    ours = pd.read_csv(tmp_path / "out.tsv", sep="\t", index_col=0)
    for key in NUMBERS:
        np.testing.assert_allclose(ours[key], L.var[key], rtol=2e-3, atol=2e-4, err_msg=key)
    assert (ours["highly_variable"].to_numpy() != L.var["highly_variable"].to_numpy()).sum() <= 2


def run_any(binary, *words):
    import subprocess
    return subprocess.run([binary, *map(str, words)], capture_output=True, text=True, timeout=120, check=False)
