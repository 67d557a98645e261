"""`normalize` beside scanpy's normalize_total and log1p, and what scanpy does next on either."""
import os
import warnings
from pathlib import Path

import anndata as ad
import h5py
import hdf5plugin
import numpy as np
import pytest
import scanpy as sc
import scipy.sparse as sp

from support.compare_anndata import difference
from support.program import run

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    """1,500 cells with counts, labelled, a layer and raw, as scanpy writes them."""
    folder = tmp_path_factory.mktemp("counts")
    run(quern_bin, "generate", folder / "generated.h5ad", "--preset", "pbmc3k", "--cells", "1500")
    adata = sc.read_h5ad(folder / "generated.h5ad")
    sc.pp.filter_genes(adata, min_cells=3)
    sc.pp.filter_cells(adata, min_counts=1)
    adata.obs["group"] = np.array(["a", "b", "c"])[np.arange(adata.n_obs) % 3]
    adata.layers["half"] = adata.X * np.float32(0.5)
    adata.raw = adata.copy()
    adata.write_h5ad(folder / "counts.h5ad", compression="gzip")
    return folder / "counts.h5ad"


def scanpys(path, base=None, log1p=True, **options):
    adata = sc.read_h5ad(path)
    sc.pp.normalize_total(adata, **options)
    if log1p:
        sc.pp.log1p(adata, base=base)
    return adata


def ulps(a, b):
    return np.abs(a.view(np.int32).astype(np.int64) - b.view(np.int32)).max(initial=0)


OPTIONS = {
    "default": ([], {}),
    "cp10k": (["--target-sum", "1e4"], {"target_sum": 1e4}),
    "cpm": (["--cpm", "--no-log1p"], {"target_sum": 1e6, "log1p": False}),
    "base": (["--target-sum", "1e4", "--base", "2"], {"target_sum": 1e4, "base": 2}),
    "excluding": (["--exclude-highly-expressed"], {"exclude_highly_expressed": True}),
    "excluding-more": (["--exclude-highly-expressed", "--max-fraction", "0.02", "--target-sum", "1e4"],
                       {"exclude_highly_expressed": True, "max_fraction": 0.02, "target_sum": 1e4}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", OPTIONS)
def test_values_and_size_factors(how, counts, quern_bin, tmp_path):
    words, options = OPTIONS[how]
    theirs = scanpys(counts, key_added="factor", **options)
    run(quern_bin, "normalize", counts, "-o", tmp_path / "out.h5ad", "--key-added", "factor", "-q", *words)
    ours = sc.read_h5ad(tmp_path / "out.h5ad")
    assert ours.X.dtype == theirs.X.dtype and isinstance(ours.X, sp.csr_matrix)
    np.testing.assert_array_equal(ours.X.indptr, theirs.X.indptr)
    np.testing.assert_array_equal(ours.X.indices, theirs.X.indices)
    assert ulps(ours.X.data, theirs.X.data) <= 3  # scanpy rounds four times on the way, to within 2 of the exact value
    assert ours.obs["factor"].dtype == theirs.obs["factor"].dtype
    assert ulps(ours.obs["factor"].to_numpy(), theirs.obs["factor"].to_numpy()) <= 1
    assert ("log1p" in ours.uns) == ("log1p" in theirs.uns)
    assert list(ours.obs) == list(theirs.obs)
    assert difference(theirs, ours, without=("X", "obs", "uns/log1p", "uns/quern")) is None


def scanpys_chain(path):
    adata = sc.read_h5ad(path)
    adata.var["mt"] = adata.var_names.str.startswith("MT-")
    sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], inplace=True)
    sc.pp.filter_cells(adata, min_genes=200)
    sc.pp.filter_genes(adata, min_cells=3)
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    return adata


def our_chain(quern_bin, path, folder):
    steps = [folder / f"{name}.h5ad" for name in ("measured", "kept", "normal")]
    run(quern_bin, "qc", path, "-o", steps[0], "-q")
    run(quern_bin, "filter", steps[0], "-o", steps[1], "--min-genes", "200", "--min-cells", "3", "-q")
    run(quern_bin, "normalize", steps[1], "-o", steps[2], "--target-sum", "1e4", "-q")
    return sc.read_h5ad(steps[2])


def go_on(adata, group, flavor):
    """What scanpy does next; the messages it warns with."""
    adata.raw = None
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        sc.pp.highly_variable_genes(adata, n_top_genes=500, flavor=flavor)
        sc.pp.pca(adata, n_comps=10)
        sc.tl.rank_genes_groups(adata, group, method="t-test")
        sc.get.rank_genes_groups_df(adata, group=adata.obs[group].astype(str).iloc[0])
    return {str(warning.message).split("\n")[0] for warning in said}


@pytest.mark.parametrize("flavor", ["seurat", "cell_ranger"])
def test_scanpy_goes_on(flavor, counts, quern_bin, tmp_path):
    """After `qc`, `filter`, `normalize`: highly variable genes, PCA and marker genes are those of scanpy's own chain, and so are its warnings."""
    theirs, ours = scanpys_chain(counts), our_chain(quern_bin, counts, tmp_path)
    assert list(ours.obs) == list(theirs.obs) and list(ours.var) == list(theirs.var) and ours.shape == theirs.shape
    assert go_on(ours, "group", flavor) <= go_on(theirs, "group", flavor)
    assert set(ours.uns) == {*theirs.uns, "quern"}
    np.testing.assert_allclose(ours.var["dispersions_norm"], theirs.var["dispersions_norm"], rtol=1e-4, atol=1e-5)
    assert (ours.var["highly_variable"] != theirs.var["highly_variable"]).sum() <= 2
    np.testing.assert_allclose(ours.uns["pca"]["variance"], theirs.uns["pca"]["variance"], rtol=1e-3)
    for part, rtol in (("scores", 1e-3), ("logfoldchanges", 1e-3), ("pvals", 1e-2)):
        for group in ("a", "b", "c"):
            names = [adata.uns["rank_genes_groups"]["names"][group] for adata in (ours, theirs)]
            a, b = (dict(zip(each, adata.uns["rank_genes_groups"][part][group])) for each, adata in zip(names, (ours, theirs)))
            np.testing.assert_allclose([a[name] for name in names[1]], [b[name] for name in names[1]], rtol=rtol, atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_counts_are_kept_in_a_layer(counts, quern_bin, tmp_path):
    run(quern_bin, "normalize", counts, "-o", tmp_path / "out.h5ad", "--counts-layer", "counts", "-q")
    before, after = sc.read_h5ad(counts), sc.read_h5ad(tmp_path / "out.h5ad")
    assert (before.X != after.layers["counts"]).nnz == 0
    assert list(after.layers) == ["counts", "half"]


@pytest.mark.filterwarnings("ignore")
def test_a_layer_becomes_x(counts, quern_bin, tmp_path):
    run(quern_bin, "normalize", counts, "-o", tmp_path / "out.h5ad", "--layer", "layers/half", "--target-sum", "1e4", "-q")
    theirs = scanpys(counts, target_sum=1e4)
    assert ulps(sc.read_h5ad(tmp_path / "out.h5ad").X.data, theirs.X.data) <= 3


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("compression", ["none", "gzip:4", "gzip:1,shuffle", "lzf", "lzf,shuffle", "zstd:3", "blosc", "blosc:9"])
def test_compression(compression, counts, quern_bin, tmp_path):
    done = run(quern_bin, "normalize", counts, "-o", tmp_path / "out.h5ad", "--compression", compression)
    assert ("few-readers" in done.stderr) == compression.startswith(("lzf", "zstd", "blosc"))
    run(quern_bin, "normalize", counts, "-o", tmp_path / "usual.h5ad", "-q")
    assert difference(*(ad.read_h5ad(tmp_path / name) for name in ("out.h5ad", "usual.h5ad")), without=("uns/quern",)) is None


@pytest.mark.parametrize("ours, theirs", [("lzf", {"compression": "lzf"}), ("zstd:3", hdf5plugin.Zstd(3)), ("blosc:5", hdf5plugin.Blosc("lz4", 5, 1))])
def test_filters_are_declared_as_others_do(ours, theirs, counts, quern_bin, tmp_path):
    run(quern_bin, "normalize", counts, "-o", tmp_path / "out.h5ad", "--compression", ours, "-q")
    with h5py.File(tmp_path / "out.h5ad") as file, h5py.File(tmp_path / "theirs.h5", "w") as made:
        data = file["X/data"]
        other = made.create_dataset("data", data=data[...], chunks=data.chunks, **theirs)
        number, _, parameters, _ = data.id.get_create_plist().get_filter(0)
        assert (number, parameters) == other.id.get_create_plist().get_filter(0)[::2][:2]


def test_bytes_do_not_depend_on_how_it_was_computed(counts, quern_bin, tmp_path):
    unsorted = FIXTURES / "duplicates-csr-shuffled.h5ad"
    for path in (counts, unsorted):
        for words in ([], ["--target-sum", "1e4"], ["--exclude-highly-expressed", "--compression", "none"]):
            contents = set()
            for i, how in enumerate((["-t", "1"], ["-t", "3", "--chunk-nnz", "7"], ["-m", "64MiB", "--chunk-nnz", "10000"],
                                     ["--test-slots", "2", "-t", "2"])):
                if path == counts and "7" in how:
                    how = ["-t", "3", "--chunk-nnz", "3000"]
                out = tmp_path / f"{i}.h5ad"
                run(quern_bin, "normalize", path, "-o", out, "-f", "--no-provenance", "-q", *words, *how)
                contents.add(out.read_bytes())
            assert len(contents) == 1, (path.name, words)
