"""Elements that no output can take over: named before anything is written, nothing left behind."""
import zlib

import h5py
import numpy as np
import pytest

from hostile.bases import N_OBS, N_VARS, cell_names, h5, h5ad
from hostile.table import run

VERBS = {"qc": ["--percent-top", "none"], "convert": []}


def _nested(root, name, encoding):
    node = root.create_group(name)
    node.attrs.update({"encoding-type": encoding, "encoding-version": "0.1.0"})
    for _ in range(40):
        node = node.create_group("a")


def deep(root):
    _nested(root, "uns/deep", "dict")


def deep_unknown(root):
    _nested(root, "uns/deep", "of-tomorrow")


def named_type(root):
    _nested(root, "uns/odd", "of-tomorrow")
    del root["uns/odd/a"]
    root["uns/odd/type"] = np.dtype("f4")


def wide_index(root):
    layer = root.create_group("layers/wide")
    layer.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": np.array([N_OBS, N_VARS])})
    layer["data"], layer["indices"] = np.ones(1, "f4"), np.array([2**31], "u4")
    layer["indptr"] = np.array([0] + [1] * N_OBS, "i4")


def frame_of_other_length(root):
    frame = root.create_group("uns/table")
    frame.attrs.update({"encoding-type": "dataframe", "encoding-version": "0.2.0", "_index": "_index", "column-order": np.array(["a"], dtype=h5py.string_dtype())})
    frame["_index"], frame["a"] = np.array(["x", "y"], dtype=h5py.string_dtype()), np.arange(3)


def flat_graph(root):
    root["obsp/graph"] = np.ones(N_OBS)


def unknown_rows(root):
    rows = root.create_group("obsm/rows")
    rows.attrs.update({"encoding-type": "of-tomorrow", "encoding-version": "1"})
    rows["values"] = np.ones(N_OBS)


def broken_layer(root):
    root.create_group("layers/broken")


def raw_of_other_shape(root):
    raw = root.create_group("raw")
    raw.attrs.update({"encoding-type": "raw", "encoding-version": "0.1.0"})
    root.copy("X", raw)
    root.copy("var", raw)
    del raw["var/_index"]
    raw["var/_index"] = np.array(["only"], dtype=h5py.string_dtype())


CASES = [(broken_layer, "unknown-encoding", "/layers/broken"), (raw_of_other_shape, "bad-shape", "/raw/X"),
         (deep, "too-deep", "/uns/deep/a/a"), (deep_unknown, "too-deep", "/uns/deep/a/a"), (named_type, "bad-type", "/uns/odd/type"),
         (wide_index, "bad-index", "/layers/wide/indices"), (frame_of_other_length, "bad-shape", "/uns/table/a")]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("edit, code, names", CASES, ids=lambda part: getattr(part, "__name__", None))
def test_refused(quern_bin, tmp_path, edit, code, names, verb):
    path = h5("modern", edit)(tmp_path)
    done = run(quern_bin, [verb, path, *VERBS[verb], "-o", tmp_path / "out" / "a.h5ad"], tmp_path / "out")
    assert done.status == 3 and f"[{code}]" in done.stderr and f": {names}" in done.stderr, done.stderr
    assert done.left == {}


@pytest.mark.parametrize("words", [["convert"], ["qc"], ["filter", "--max-genes", "40"], ["filter", "--min-cells", "2"]], ids=" ".join)
def test_old_table_of_two_dimensions(quern_bin, tmp_path, words):
    """Of arrays of cells, as anndata 0.6 kept them: one dimension more than a table has."""

    def edit(root):
        root["obsm"] = np.zeros((1, N_OBS), dtype=[("X_pca", "f4", (9,))])

    path = h5("0.6", edit)(tmp_path)
    done = run(quern_bin, [words[0], path, *words[1:], "-o", tmp_path / "out" / "a.h5ad"], tmp_path / "out")
    assert done.status == 3 and "[bad-shape]" in done.stderr and "/obsm" in done.stderr, done.stderr
    assert done.left == {}


@pytest.mark.parametrize("verb", VERBS)
def test_large_attribute(quern_bin, tmp_path, verb):
    """Of 17 MiB, which only a file of HDF5 1.8 or later can hold; one of 15 MiB is taken over."""

    def made_of(mebibytes):
        good = h5("modern")(tmp_path)
        path = tmp_path / "attribute.h5ad"
        with h5py.File(good) as source, h5py.File(path, "w", libver=("v108", "v108")) as root:
            for name in source:
                source.copy(name, root)
            root.attrs.update(source.attrs)
            root.create_group("uns/large").attrs["a"] = np.zeros(mebibytes << 20, "i1")
        return path

    words = [*VERBS[verb], "-o", tmp_path / "out" / "a.h5ad"]
    done = run(quern_bin, [verb, made_of(17), *words], tmp_path / "out")
    assert done.status == 3 and "[bad-shape]" in done.stderr and "/uns/large (attribute a)" in done.stderr, done.stderr
    assert done.left == {}


@pytest.mark.parametrize("edit, code, names", [(flat_graph, "bad-shape", "/obsp/graph"), (unknown_rows, "unknown-encoding", "/obsm/rows")])
def test_refused_when_cut(quern_bin, tmp_path, edit, code, names):
    """Nobody knows which part of it belongs to the cells that stay."""
    path = h5("modern", edit)(tmp_path)
    (tmp_path / "cells.txt").write_text("\n".join(cell_names(N_OBS)[::3]))
    done = run(quern_bin, ["filter", path, "--keep-cells", f"@{tmp_path}/cells.txt", "-o", tmp_path / "out" / "a.h5ad"], tmp_path / "out")
    assert done.status == 3 and f"[{code}]" in done.stderr and f": {names}" in done.stderr, done.stderr
    assert done.left == {}


def test_texts_in_packed_records(quern_bin, tmp_path):
    """They lie elsewhere in the file, so that their chunks cannot be copied as they are."""
    table = np.array([(1, "x" * 50), (2, "gène")], dtype=[("n", "i4"), ("t", h5py.string_dtype())])
    path = h5("modern", lambda root: root.create_dataset("uns/table", data=table, chunks=(2,), compression="gzip"))(tmp_path)
    done = run(quern_bin, ["convert", path, "-o", tmp_path / "out" / "a.h5ad"], tmp_path / "out")
    assert done.status == 0, done.stderr
    with h5py.File(tmp_path / "out" / "a.h5ad") as root:
        assert [row[1].decode() for row in root["uns/table"][...]] == ["x" * 50, "gène"]


def many_rows(store):
    """A file of 5,000 cells with one value each, of gene 0; `store` makes the only chunk of the indices, or none."""

    def make(folder):
        path = folder / "input.h5ad"
        with h5ad.open_08(str(path), cell_names(5000), ["a", "b"], columns=False) as root:
            x = root.create_group("X")
            x.attrs.update({"encoding-type": "csr_matrix", "encoding-version": "0.1.0", "shape": np.array([5000, 2])})
            x["data"], x["indptr"] = np.arange(1, 5001, dtype="f4"), np.arange(5001, dtype="i4")
            store(x.create_dataset("indices", (5000,), "i4", chunks=(5000,), compression="gzip"))
        return path

    return make


def swollen(indices):
    """Deflated, yet larger than what it holds."""
    packer = zlib.compressobj()
    parts = [packer.compress(np.zeros(5000, "i4").tobytes())] + [packer.flush(zlib.Z_FULL_FLUSH) for _ in range(5000)]
    indices.id.write_direct_chunk((0,), b"".join([*parts, packer.flush()]))


@pytest.mark.parametrize("store", [lambda indices: None, swollen], ids=["no-chunk", "swollen-chunk"])
def test_indices_that_cannot_be_copied_as_they_are(quern_bin, tmp_path, store):
    path = many_rows(store)(tmp_path)
    done = run(quern_bin, ["normalize", path, "--target-sum", "10", "--no-log1p", "-o", tmp_path / "out" / "a.h5ad"], tmp_path / "out")
    assert done.status == 0, done.stderr
    with h5py.File(tmp_path / "out" / "a.h5ad") as root:
        assert not root["X/indices"][...].any() and (root["X/data"][...] == 10).all()
