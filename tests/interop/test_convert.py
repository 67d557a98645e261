"""`convert` to h5ad: every generation and layout, as anndata reads it."""
import json
import os
from pathlib import Path

import anndata as ad
import h5py
import hdf5plugin  # noqa: F401  zstd and blosc for h5py
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

from support.compare_anndata import difference, plain_index
from support.program import run
from support.written_csr import written_csr

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
SHARED = Path(os.environ.get("QUERN_SHARED_DATA", "/nowhere"))
MANIFEST = FIXTURES / "manifest.json"
CASES = [case for case in (json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else [])
         if case["path"].endswith(".h5ad") and "raw" not in case["arguments"]]
GENERATIONS = ["modern", "generation-0.7", "generation-0.6", "generation-0.6-late", "generation-0.5", "mixture", "nullable-index", "null-x"]
FILES = [FIXTURES / f"{name}.h5ad" for name in GENERATIONS] + sorted(SHARED.glob("*.h5ad"))


def test_there_are_cases():
    assert len(CASES) > 150


def canonical(matrix):
    """CSR with sorted indices, each place once, no zeros."""
    matrix = sp.csr_matrix(matrix, copy=True)
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def assert_same_values(ours, theirs):
    a, b = canonical(ours), canonical(theirs)
    assert a.shape == b.shape
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(a, part), getattr(b, part))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_values_of_every_storage(case, quern_bin, tmp_path):
    out = tmp_path / "out.h5ad"
    run(quern_bin, "convert", FIXTURES / case["path"], *case["arguments"], "-o", out, "-q")
    truth = np.load(FIXTURES / case["truth"])
    shape = (case["n_obs"], case["n_vars"])
    ours = written_csr(out)
    assert ours.shape == shape
    assert_same_values(ours.astype(float), sp.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=shape))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_everything_is_there(path, quern_bin, tmp_path):
    run(quern_bin, "convert", path, "-o", tmp_path / "out.h5ad", "-q")
    before, after = sc.read_h5ad(path), sc.read_h5ad(tmp_path / "out.h5ad")
    before.obs, before.var = plain_index(before.obs), plain_index(before.var)
    assert difference(before, after, without=("X", "uns/quern")) is None
    if before.X is None:
        assert after.X is None
        return
    assert isinstance(after.X, sp.csr_matrix) and after.X.dtype == before.X.dtype
    assert_same_values(after.X, before.X)


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    """1,500 cells with counts, packed by gzip in chunks that can stay as they are."""
    folder = tmp_path_factory.mktemp("counts")
    run(quern_bin, "generate", folder / "counts.h5ad", "--preset", "pbmc3k", "--cells", "1500", "--layout", "modern", "--compression", "gzip:4",
        "--chunk", "30000")
    return folder / "counts.h5ad"


def filters(dataset):
    return [dataset.id.get_create_plist().get_filter(i)[0] for i in range(dataset.id.get_create_plist().get_nfilters())]


FILTERS = {"none": [], "gzip:3": [1], "gzip:3,shuffle": [2, 1], "lzf": [32000], "lzf,shuffle": [2, 32000], "zstd:5": [32015], "blosc:4": [32001]}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", FILTERS)
def test_compression_and_chunk(how, counts, quern_bin, tmp_path):
    out = tmp_path / "out.h5ad"
    report = json.loads(run(quern_bin, "convert", counts, "-o", out, "--compression", how, "--chunk", "12345", "--json", "-").stdout)
    assert report["result"]["data"] == report["result"]["indices"] == "written"
    with h5py.File(out) as file:
        assert filters(file["X/data"]) == FILTERS[how] and file["X/data"].chunks == file["X/indices"].chunks == (12345,)
    assert difference(ad.read_h5ad(counts), ad.read_h5ad(out), without=("uns/quern",)) is None


@pytest.mark.filterwarnings("ignore")
def test_incompressible_values(quern_bin, tmp_path):
    rng = np.random.default_rng(3)
    matrix = sp.csr_matrix(rng.random((300, 200)))
    ad.AnnData(matrix).write_h5ad(tmp_path / "in.h5ad")
    for how in FILTERS:
        run(quern_bin, "convert", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", "-f", "--compression", how, "-q")
        assert_same_values(ad.read_h5ad(tmp_path / "out.h5ad").X, matrix)


def stored_chunks(path, name):
    with h5py.File(path) as file:
        data = file[name].id
        return [data.read_direct_chunk(data.get_chunk_info(i).chunk_offset) for i in range(data.get_num_chunks())]


@pytest.mark.filterwarnings("ignore")
def test_stored_chunks_are_copied_where_they_can_stay(counts, quern_bin, tmp_path):
    out = tmp_path / "out.h5ad"
    result = json.loads(run(quern_bin, "convert", counts, "-o", out, "--json", "-").stdout)["result"]
    assert result["data"] == result["indices"] == "copied" and result["value_type"] == "float32"
    for name in ("X/data", "X/indices"):
        assert stored_chunks(counts, name) == stored_chunks(out, name)
    result = json.loads(run(quern_bin, "convert", counts, "-o", out, "-f", "--dtype", "int32", "--json", "-").stdout)["result"]
    assert (result["data"], result["indices"], result["value_type"]) == ("written", "copied", "int32")
    assert_same_values(ad.read_h5ad(out).X, ad.read_h5ad(counts).X)
    adata = ad.read_h5ad(counts)
    adata.X.indices[:2] = adata.X.indices[:2][::-1]
    adata.X.data[:2] = adata.X.data[:2][::-1]
    adata.X.has_sorted_indices = True  # as far as the writer knows
    adata.write_h5ad(tmp_path / "unsorted.h5ad", compression="gzip")
    result = json.loads(run(quern_bin, "convert", tmp_path / "unsorted.h5ad", "-o", out, "-f", "--json", "-").stdout)["result"]
    assert result["data"] == result["indices"] == "written"
    assert_same_values(written_csr(out), ad.read_h5ad(counts).X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int16", "int32", "int64", "uint16", "uint32", "uint64"])
def test_dtype(dtype, counts, quern_bin, tmp_path):
    run(quern_bin, "convert", counts, "-o", tmp_path / "out.h5ad", "--dtype", dtype, "-q")
    x = ad.read_h5ad(tmp_path / "out.h5ad").X
    assert x.dtype == dtype
    assert_same_values(x, ad.read_h5ad(counts).X)


@pytest.mark.parametrize("values, dtype", [([1, 300], "uint8"), ([1, -1], "uint16"), ([1, 128], "int8"), ([1, 2**31], "int32"), ([1, 0.5], "int64"),
                                           ([1, np.nan], "int32"), ([1, np.inf], "uint64")])
def test_values_that_a_type_does_not_hold(values, dtype, quern_bin, tmp_path):
    ad.AnnData(sp.csr_matrix(np.array([values, values], dtype="f8"))).write_h5ad(tmp_path / "in.h5ad")
    done = run(quern_bin, "convert", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", "--dtype", dtype, expect=3)
    assert "[unfit-value]" in done.stderr and "row 0" in done.stderr and not (tmp_path / "out.h5ad").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_layer_becomes_x(quern_bin, tmp_path):
    path, name = FIXTURES / "modern.h5ad", "logs"
    before = ad.read_h5ad(path)
    run(quern_bin, "convert", path, "-o", tmp_path / "out.h5ad", "--layer", f"layers/{name}", "-q")
    assert_same_values(ad.read_h5ad(tmp_path / "out.h5ad").X, before.layers[name])


def test_bytes_do_not_depend_on_how_it_was_computed(counts, quern_bin, tmp_path):
    ways = [["-t", "1"], ["-t", "3", "--chunk-nnz", "3000"], ["-m", "64MiB", "--chunk-nnz", "10000"], ["--test-slots", "2", "-t", "2"]]
    inputs = [(counts, []), (counts, ["--dtype", "int16"]), (counts, ["--compression", "none", "--chunk", "777"]),
              (FIXTURES / "duplicates-csr-shuffled.h5ad", []), (FIXTURES / "dense-tiles-gzip.h5ad", []), (FIXTURES / "csc-gzip.h5ad", [])]
    for path, words in inputs:
        contents, digests = set(), set()
        for i, how in enumerate(ways):
            out = tmp_path / f"{i}.h5ad"
            done = run(quern_bin, "convert", path, "-o", out, "-f", "--no-provenance", "--json", "-", *words, *how)
            contents.add(out.read_bytes())
            digests.add(json.loads(done.stdout)["digest"])
        assert len(contents) == len(digests) == 1, (path.name, words)


TENX = ["pbmc3k_10x_v2.h5", "pbmc3k_v2_mtx__hg19", "scanpy-10x__1.2.0__filtered_gene_bc_matrices__hg19_chr21",
        "scanpy-10x__3.0.0__filtered_feature_bc_matrix", "scanpy-10x__v2_hg19_chr21.h5", "scanpy-10x__v3_filtered_feature_bc_matrix.h5",
        "scanpy-10x__visium_1.0.0_filtered.h5"]


def scanpys(path, **options):
    return sc.read_10x_h5(path, **options) if path.suffix == ".h5" else sc.read_10x_mtx(path, **options)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not SHARED.exists(), reason=f"no shared data in {SHARED}")
@pytest.mark.parametrize("name", TENX)
def test_10x_is_what_scanpy_reads(name, quern_bin, tmp_path):
    path = SHARED / name
    run(quern_bin, "convert", path, "-o", tmp_path / "out.h5ad", "-q")
    before, after = scanpys(path), ad.read_h5ad(tmp_path / "out.h5ad")
    assert difference(before, after, without=("uns/quern",)) is None
    pd.testing.assert_frame_equal(before.var, after.var)
    pd.testing.assert_frame_equal(before.obs, after.obs)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not SHARED.exists(), reason=f"no shared data in {SHARED}")
def test_10x_by_genome_and_feature_type(quern_bin, tmp_path):
    path, out = SHARED / "scanpy-10x__v2_multiple_genomes.h5", tmp_path / "out.h5ad"
    with h5py.File(path) as file:
        genome = sorted(file)[-1]
    run(quern_bin, "convert", path, "--genome", genome, "-o", out, "-q")
    assert difference(sc.read_10x_h5(path, genome=genome), ad.read_h5ad(out), without=("uns/quern",)) is None
    assert "[several-genomes]" in run(quern_bin, "convert", path, "-o", tmp_path / "no.h5ad", expect=2).stderr
    for name in ("scanpy-10x__v3_filtered_feature_bc_matrix.h5", "scanpy-10x__3.0.0__filtered_feature_bc_matrix"):
        run(quern_bin, "convert", SHARED / name, "--feature-type", "all", "-o", out, "-f", "-q")
        assert difference(scanpys(SHARED / name, gex_only=False), ad.read_h5ad(out), without=("uns/quern",)) is None


@pytest.mark.parametrize("case", [c for c in (json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else [])
                                  if not c["path"].endswith(".h5ad")], ids=lambda case: case["name"])
def test_values_and_names_of_10x(case, quern_bin, tmp_path):
    out = tmp_path / "out.h5ad"
    run(quern_bin, "convert", FIXTURES / case["path"], *case["arguments"], "-o", out, "-q")
    truth = np.load(FIXTURES / case["truth"])
    shape = (case["n_obs"], case["n_vars"])
    theirs = sp.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=shape)
    assert_same_values(written_csr(out).astype("f4"), theirs.astype("f4"))
    after = ad.read_h5ad(out)
    assert list(after.obs_names) == case["obs_names"]
    if "mtx" not in case["name"]:
        assert list(after.var_names) == case["var_names"]


@pytest.mark.filterwarnings("ignore")
def test_names_of_a_directory_are_made_unique(quern_bin, tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    names = ["A", "B", "A", "A-1", "B", "A", "C"]
    (folder / "genes.tsv").write_text("".join(f"ID{i}\t{name}\n" for i, name in enumerate(names)))
    (folder / "barcodes.tsv").write_text("c1\nc2\n")
    (folder / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n7 2 2\n1 1 3\n7 2 20000001\n")
    run(quern_bin, "convert", folder, "-o", tmp_path / "out.h5ad", "-q")
    ours = ad.read_h5ad(tmp_path / "out.h5ad")
    assert list(ours.var_names) == list(sc.read_10x_mtx(folder).var_names)
    assert ours.X.dtype == "f8" and ours.X.max() == 20000001, "no whole number is rounded"
    run(quern_bin, "qc", folder, "-o", tmp_path / "qc.h5ad", "--percent-top", "none", "-q")
    assert_same_values(ad.read_h5ad(tmp_path / "qc.h5ad").X, ours.X)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not SHARED.exists(), reason=f"no shared data in {SHARED}")
@pytest.mark.parametrize("name", ["scanpy-10x__v3_filtered_feature_bc_matrix.h5", "scanpy-10x__3.0.0__filtered_feature_bc_matrix"])
def test_other_verbs_write_10x_inputs(name, quern_bin, tmp_path):
    """`qc -o` and `normalize` as the same of the converted file."""
    path, h5ad = SHARED / name, tmp_path / "in.h5ad"
    run(quern_bin, "convert", path, "-o", h5ad, "-q", "--no-provenance")
    for words in (["qc", "--percent-top", "50"], ["normalize", "--counts-layer", "counts", "--key-added", "factor"]):
        for source, out in ((path, "a.h5ad"), (h5ad, "b.h5ad")):
            run(quern_bin, words[0], source, "-o", tmp_path / out, "-f", "-q", "--no-provenance", *words[1:])
        a, b = (ad.read_h5ad(tmp_path / out) for out in ("a.h5ad", "b.h5ad"))
        if words[0] == "qc":  # scanpy's integers are as wide as the index of the matrix
            a.obs, a.var = a.obs.astype(b.obs.dtypes), a.var.astype(b.var.dtypes)
        assert difference(a, b) is None
        pd.testing.assert_frame_equal(a.var, b.var)
        pd.testing.assert_frame_equal(a.obs, b.obs)
