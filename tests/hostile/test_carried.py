"""Elements that no output can take over: named before anything is written, nothing left behind."""
import h5py
import numpy as np
import pytest

from hostile.bases import N_OBS, N_VARS, h5
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


CASES = [(deep, "too-deep", "/uns/deep/a/a"), (deep_unknown, "too-deep", "/uns/deep/a/a"), (named_type, "bad-type", "/uns/odd/type"),
         (wide_index, "bad-index", "/layers/wide/indices"), (frame_of_other_length, "bad-shape", "/uns/table/a")]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("edit, code, names", CASES, ids=lambda part: getattr(part, "__name__", None))
def test_refused(quern_bin, tmp_path, edit, code, names, verb):
    path = h5("modern", edit)(tmp_path)
    done = run(quern_bin, [verb, path, *VERBS[verb], "-o", tmp_path / "out" / "a.h5ad"], tmp_path / "out")
    assert done.status == 3 and f"[{code}]" in done.stderr and f": {names}" in done.stderr, done.stderr
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
