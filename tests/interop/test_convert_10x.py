"""`convert` to 10x files and matrix directories, as scanpy reads them, and back."""
import gzip
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import anndata as ad
import h5py
import hdf5plugin  # noqa: F401  zstd and blosc for h5py
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

from support.compare_anndata import WITHOUT_X, difference
from support.program import run

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
SHARED = Path(os.environ.get("QUERN_SHARED_DATA", "/nowhere"))
NAMES = ["modern", "generation-0.6", "csc-gzip", "dense-tiles-gzip", "duplicates-csr-shuffled", "duplicates-quarters", "empty-0x12-csr",
         "empty-12x0-csr", "empty-9x60-csc", "explicit-zeros-csr", "negative-whole", "special-all", "fractions-f8", "over-2-24-i4"]
FILES = [path for path in [FIXTURES / f"{name}.h5ad" for name in NAMES] + sorted(SHARED.glob("*.h5ad")) if path.stem not in WITHOUT_X]


def canonical(matrix):
    """CSR with sorted indices, each place once, no zeros; 64-bit floats."""
    matrix = sp.csr_matrix(matrix, copy=True).astype("f8")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    return matrix


def assert_same_values(ours, theirs):
    a, b = canonical(ours), canonical(theirs)
    assert a.shape == b.shape
    for part in ("indptr", "indices", "data"):
        np.testing.assert_array_equal(getattr(a, part), getattr(b, part))


def is_counts(matrix):
    values = canonical(matrix).data
    return bool((np.rint(values) == values).all()) and np.abs(values).max(initial=0) < 2**31


def plain(texts):
    """As fixed-length ASCII holds them."""
    return [text.encode("ascii", "xmlcharrefreplace").decode() for text in texts]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_to_10x_and_back(path, quern_bin, tmp_path):
    before, out, back = sc.read_h5ad(path), tmp_path / "out.h5", tmp_path / "back.h5ad"
    if not is_counts(before.X):
        done = run(quern_bin, "convert", path, "-o", out, "-q", expect=3)
        assert "[unfit-value]" in done.stderr and not out.exists()
        return
    run(quern_bin, "convert", path, "-o", out, "-q")
    run(quern_bin, "convert", out, "-o", back, "-q", "--feature-type", "all")
    theirs, ours = sc.read_10x_h5(out, gex_only=False), ad.read_h5ad(back)
    if np.abs(canonical(before.X).data).max(initial=0) < 2**24:
        assert_same_values(theirs.X, before.X)  # scanpy reads 32-bit floats
    assert_same_values(ours.X, before.X)
    for after in (theirs, ours):
        assert list(after.obs_names) == plain(before.obs_names)
        if "gene_ids" in before.var:
            assert list(after.var["gene_ids"]) == plain(before.var["gene_ids"])
        if "gene_symbols" not in before.var and "feature_name" not in before.var:
            assert list(after.var_names) == plain(before.var_names)
        for name in {"feature_types", "genome"} & set(before.var):
            assert list(after.var[name]) == plain(before.var[name].astype(str))
    if before.var_names.is_unique and ours.X.dtype == "f4":
        assert difference(theirs, ours, without=("uns/quern",)) is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_to_a_directory_and_back(path, quern_bin, tmp_path):
    before, out, back = sc.read_h5ad(path), tmp_path / "out", tmp_path / "back.h5ad"
    run(quern_bin, "convert", path, "-o", out, "-q")
    assert sorted(os.listdir(out)) == ["barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"]
    run(quern_bin, "convert", out, "-o", back, "-q", "--feature-type", "all", "--dtype", "float64" if before.X.dtype == "f8" else "keep")
    ours = ad.read_h5ad(back)
    assert_same_values(ours.X, before.X)
    assert list(ours.obs_names) == list(before.obs_names)
    with gzip.open(out / "matrix.mtx.gz", "rt", encoding="utf-8") as file:
        assert file.readline() == f"%%MatrixMarket matrix coordinate {'integer' if is_counts(before.X) else 'real'} general\n"
        assert file.readline().startswith('%metadata_json: {"software_version": "quern ')
    if 0 in before.shape:
        return  # pandas reads no empty tables
    theirs = sc.read_10x_mtx(out, gex_only=False)
    assert_same_values(theirs.X, canonical(before.X).astype("f4"))
    assert list(map(str, theirs.obs_names)) == list(before.obs_names) and list(map(str, theirs.var_names)) == list(ours.var_names)
    if "gene_ids" in before.var:
        assert list(map(str, theirs.var["gene_ids"])) == list(before.var["gene_ids"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not SHARED.exists(), reason=f"no shared data in {SHARED}")
@pytest.mark.parametrize("name", ["pbmc3k_10x_v2.h5", "scanpy-10x__v3_filtered_feature_bc_matrix.h5", "scanpy-10x__3.0.0__filtered_feature_bc_matrix"])
def test_10x_to_10x(name, quern_bin, tmp_path):
    """What is told of features survives, as far as each format holds it."""
    path = SHARED / name
    before = sc.read_10x_h5(path, gex_only=False) if path.suffix == ".h5" else sc.read_10x_mtx(path, gex_only=False)
    for out in (tmp_path / "out.h5", tmp_path / "out"):
        run(quern_bin, "convert", path, "-o", out, "-q", "--feature-type", "all")
        after = sc.read_10x_h5(out, gex_only=False) if out.suffix else sc.read_10x_mtx(out, gex_only=False)
        assert_same_values(after.X, before.X)
        pd.testing.assert_frame_equal(after.obs, before.obs)
        both = [name for name in before.var if name in after.var]
        assert "gene_ids" in both
        pd.testing.assert_frame_equal(after.var[both].reset_index(drop=True), before.var[both].reset_index(drop=True))


@pytest.mark.filterwarnings("ignore")
def test_the_form_of_a_10x_file(quern_bin, tmp_path):
    names = ["A", "Bß", "C/D"]
    counts = ad.AnnData(sp.csr_matrix(np.array([[1, 0, 2], [0, 0, 3]], dtype="f4")), obs=pd.DataFrame({"group": ["x", "y"]}, index=["c1", "c2"]),
                        var=pd.DataFrame({"gene_ids": ["E1", "E2", "E3"], "feature_types": ["Gene Expression", "Peaks", "Peaks"]}, index=names))
    counts.write_h5ad(tmp_path / "in.h5ad")
    done = run(quern_bin, "convert", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5")
    assert "[left-out]" in done.stderr and "columns of obs" in done.stderr and "[encoded-names]" in done.stderr
    with h5py.File(tmp_path / "out.h5") as file:
        assert dict(file.attrs)["filetype"] == "matrix" and file.attrs["version"] == 2 and list(file.attrs["library_ids"]) == ["in.h5ad"]
        matrix = file["matrix"]
        assert sorted(matrix) == ["barcodes", "data", "features", "indices", "indptr", "shape"]
        assert sorted(matrix["features"]) == ["_all_tag_keys", "feature_type", "genome", "id", "name"]
        kinds = {name: matrix[name].dtype.str for name in ("barcodes", "data", "indices", "indptr", "shape")}
        assert kinds == {"barcodes": "|S2", "data": "<i4", "indices": "<i8", "indptr": "<i8", "shape": "<i4"}
        assert list(matrix["shape"]) == [3, 2] and list(matrix["features/name"]) == [b"A", b"B&#223;", b"C/D"]
        assert list(matrix["features/_all_tag_keys"]) == [b"genome"] and list(matrix["features/id"]) == [b"E1", b"E2", b"E3"]
        assert list(matrix["indptr"]) == [0, 2, 3] and list(matrix["indices"]) == [0, 2, 2] and list(matrix["data"]) == [1, 2, 3]


@pytest.mark.filterwarnings("ignore")
def test_raw_and_layers_can_be_taken(quern_bin, tmp_path):
    path = FIXTURES / "modern.h5ad"
    before = ad.read_h5ad(path)
    run(quern_bin, "convert", path, "-o", tmp_path / "layer", "--layer", "layers/dense", "-q")
    assert_same_values(sc.read_10x_mtx(tmp_path / "layer").X, canonical(before.layers["dense"]).astype("f4"))
    adata = ad.AnnData(np.full((3, 2), 0.5, "f4"))
    adata.raw = ad.AnnData(sp.csr_matrix(np.arange(12).reshape(3, 4).astype("f4")))
    adata.write_h5ad(tmp_path / "raw.h5ad")
    run(quern_bin, "convert", tmp_path / "raw.h5ad", "-o", tmp_path / "raw.h5", "--layer", "raw", "-q")
    assert_same_values(sc.read_10x_h5(tmp_path / "raw.h5").X, adata.raw.X)


@pytest.mark.parametrize("words, expect, code", [
    (["-o", "OUT/a.txt"], 2, "unknown-extension"), (["-o", "OUT/a.h5", "--dtype", "int8"], 2, "bad-value"),
    (["-o", "OUT/a", "--chunk", "5"], 2, "bad-value"), (["-o", "OUT/a", "--compression", "none"], 2, "bad-compression"),
    (["-o", "-", "--to", "mtx"], 2, "stdout-output"), (["-o", "-", "--to", "10x"], 2, "stdout-output"), (["-o", "OUT/no/a"], 4, "no-such-folder"),
    (["-o", "OUT/file.h5", "--to", "mtx"], 4, "not-a-folder"), (["-o", "OUT/taken", "--force"], 4, "foreign-files"), (["-o", "OUT/old"], 4, "exists"),
    ([], 2, "missing-option")])
def test_refusals(words, expect, code, quern_bin, tmp_path):
    (tmp_path / "file.h5").touch()
    for name in ("taken", "old"):
        (tmp_path / name).mkdir()
    (tmp_path / "taken" / "thesis.txt").write_text("mine")
    words = [word.replace("OUT", str(tmp_path)) for word in words]
    assert f"[{code}]" in run(quern_bin, "convert", FIXTURES / "modern.h5ad", *words, expect=expect).stderr
    assert (tmp_path / "taken" / "thesis.txt").read_text() == "mine" and sorted(os.listdir(tmp_path)) == ["file.h5", "old", "taken"]


def test_endings_and_to(quern_bin, tmp_path):
    path = FIXTURES / "value-i4.h5ad"
    for name, to, kind in (("a.bin", "10x", "10x-h5-v3"), ("b.dir", "mtx", "10x-mtx-v3"), ("c", "h5ad", "h5ad"), ("d/", "", "10x-mtx-v3")):
        words = ["--to", to] if to else []
        report = json.loads(run(quern_bin, "convert", path, "-o", f"{tmp_path}/{name}", "--json", "-", *words).stdout)
        assert report["result"]["format"] == kind and report["result"]["file_bytes"] > 0
        assert json.loads(run(quern_bin, "info", f"{tmp_path}/{name}", "--json", "-").stdout)["input"]["format"] == kind


def test_folders_are_replaced_as_a_whole(quern_bin, tmp_path):
    out = tmp_path / "out"
    out.mkdir(mode=0o750)
    (out / "genes.tsv").write_text("old")
    (out / "matrix.mtx").write_text("old")
    run(quern_bin, "convert", FIXTURES / "csc-gzip.h5ad", "-o", out, "--force", "-q")
    assert sorted(os.listdir(out)) == ["barcodes.tsv.gz", "features.tsv.gz", "matrix.mtx.gz"] and out.stat().st_mode & 0o777 == 0o750
    assert os.listdir(tmp_path) == ["out"]
    before = {name: (out / name).read_bytes() for name in os.listdir(out)}
    (tmp_path / "link").symlink_to(out)
    for name in (out, f"{out}/", tmp_path / "link", f"{tmp_path}/./out"):
        assert "[same-file]" in run(quern_bin, "convert", out, "-o", name, "--to", "mtx", "--force", expect=4).stderr
    assert {name: (out / name).read_bytes() for name in os.listdir(out)} == before


@pytest.mark.parametrize("ending", [".h5", ""])
def test_bytes_do_not_depend_on_how_it_was_computed(ending, quern_bin, tmp_path):
    run(quern_bin, "generate", tmp_path / "counts.h5ad", "--preset", "pbmc3k", "--cells", "1000", "--layout", "modern", "-q")
    ways = [["-t", "1"], ["-t", "3", "--chunk-nnz", "3000"], ["-m", "64MiB", "--chunk-nnz", "10000"], ["--test-slots", "2", "-t", "2"]]
    for path in (tmp_path / "counts.h5ad", FIXTURES / "duplicates-csr-shuffled.h5ad", FIXTURES / "value-u2-dense.h5ad"):
        contents = set()
        for i, how in enumerate(ways):
            out = tmp_path / f"{i}{ending}"
            run(quern_bin, "convert", path, "-o", out, "-f", "-q", *how)
            files = sorted(out.iterdir()) if out.is_dir() else [out]
            contents.add(tuple(file.read_bytes() for file in files))
        assert len(contents) == 1, path.name


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signals_clean_up(number, quern_bin, tmp_path):
    run(quern_bin, "generate", tmp_path / "counts.h5ad", "--preset", "pbmc3k", "--cells", "3000", "--layout", "modern", "-q")
    out = tmp_path / "out"
    out.mkdir()
    statuses = set()
    for name in ("folder", "file.h5") * 2:
        process = subprocess.Popen([quern_bin, "convert", tmp_path / "counts.h5ad", "-o", out / name, "-t", "1", "--chunk-nnz", "1"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not any(out.iterdir()) and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(number)
        statuses.add(process.wait(timeout=20))
        if statuses == {-number}:
            assert list(out.iterdir()) == []
    assert -number in statuses


def test_names_that_a_table_cannot_hold(quern_bin, tmp_path):
    ad.AnnData(np.ones((1, 1), "f4"), obs=pd.DataFrame(index=["a\tb"])).write_h5ad(tmp_path / "in.h5ad")
    done = run(quern_bin, "convert", tmp_path / "in.h5ad", "-o", tmp_path / "out", expect=3)
    assert "[unfit-name]" in done.stderr and not (tmp_path / "out").exists()


def test_dry_run_writes_nothing(quern_bin, tmp_path):
    for name in ("a.h5ad", "a.h5", "a"):
        report = json.loads(run(quern_bin, "convert", FIXTURES / "modern.h5ad", "-o", tmp_path / name, "-n", "--json", "-").stdout)
        assert report["result"]["plan"]["outputs"][0].endswith(name)
    assert list(tmp_path.iterdir()) == []
