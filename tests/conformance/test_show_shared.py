"""`quern show` of every real h5ad of the shared data folder against what anndata reads. Where the folder is absent, skipped by name."""
import csv
import io
import os
import warnings
from pathlib import Path

import anndata
import h5py
import hdf5plugin  # noqa: F401 (lets h5py read zstd and blosc)
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from support.program import run

DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FILES = sorted(path.name for path in DATA.glob("*.h5ad"))

pytestmark = [pytest.mark.skipif(not FILES, reason=f"no shared data in {DATA}"), pytest.mark.parametrize("name", FILES or ["absent"])]


def read(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return anndata.read_h5ad(DATA / name)


def show(binary, name, *words):
    """(column names, row names, fields)."""
    rows = list(csv.reader(io.StringIO(run(binary, "show", DATA / name, *words, "-q").stdout), delimiter="\t"))
    return rows[0][1:], [row[0] for row in rows[1:]], [row[1:] for row in rows[1:]]


def same(text, value):
    """A field against a value of pandas or numpy."""
    if isinstance(value, (float, np.floating)) and np.isnan(value):
        return text in ("nan", "")  # a missing category is empty
    if value is None or value is pd.NA:
        return text == ""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, (bool, np.bool_, str)):
        return text == str(value)
    return float(text) == float(value)


def differing(texts, values):
    values = list(values)
    assert len(texts) == len(values)
    return [(i, a, b) for i, (a, b) in enumerate(zip(texts, values)) if not same(a, b)][:3]


def test_frames(name, quern_bin):
    data = read(name)
    for frame_name in ("obs", "var"):
        frame = getattr(data, frame_name)
        columns, index, rows = show(quern_bin, name, frame_name)
        assert index == [str(label) for label in frame.index]
        assert columns == list(frame.columns)
        for place, column in enumerate(columns):
            assert not differing([row[place] for row in rows], frame[column]), (frame_name, column)


def parts_of(data):
    matrices = {"X": data.X, "raw": None if data.raw is None else data.raw.X}
    matrices.update({f"layers/{key}": value for key, value in data.layers.items()})
    return {key: value for key, value in matrices.items() if value is not None}


@pytest.mark.parametrize("rows,columns", [(slice(None, 5), slice(None, 5)), (slice(-3, None), slice(-7, -1)), (slice(1, 2), slice(None))])
def test_matrices(name, rows, columns, quern_bin):
    def text(part):
        return f"{'' if part.start is None else part.start}:{'' if part.stop is None else part.stop}"

    for key, matrix in parts_of(read(name)).items():
        expected = (matrix[:][rows] if isinstance(matrix, np.ndarray) else matrix[rows])[:, columns]
        expected = expected.toarray() if sp.issparse(expected) else expected
        _, _, found = show(quern_bin, name, key, f"--rows={text(rows)}", f"--cols={text(columns)}")
        assert len(found) == expected.shape[0]
        for texts, values in zip(found, expected):
            assert not differing(texts, values), key


def leaves(root, path):
    if isinstance(root[path], h5py.Group) and root[path].attrs.get("encoding-type", "dict") == "dict":
        return [leaf for key in root[path] for leaf in leaves(root, f"{path}/{key}")]
    return [path]


def test_uns(name, quern_bin):
    data = read(name)
    with h5py.File(DATA / name) as root:
        paths = [path for path in leaves(root, "uns")] if "uns" in root else []
    for path in paths:
        value = data.uns
        for key in path.split("/")[1:]:
            value = value.get(key) if isinstance(value, dict) or hasattr(value, "get") else None
        if value is None:
            continue  # anndata moves neighbors to obsp and categories to obs
        if isinstance(value, (str, bool, int, float, np.number, np.bool_)):
            shown = run(quern_bin, "show", DATA / name, path, "-q").stdout.splitlines()
            assert same(shown[-1].split("\t")[-1], value), path
        elif isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype.names is None:
            assert not differing([row[0] for row in show(quern_bin, name, path)[2]], value), path
        elif isinstance(value, np.ndarray) and value.dtype.names:
            columns, _, rows = show(quern_bin, name, path)
            assert columns == list(value.dtype.names)
            for place, column in enumerate(columns):
                assert not differing([row[place] for row in rows], value[column].tolist()), (path, column)
        elif sp.issparse(value) or (isinstance(value, np.ndarray) and value.ndim == 2):
            dense = value.toarray() if sp.issparse(value) else value
            for texts, values in zip(show(quern_bin, name, path)[2], dense, strict=True):
                assert not differing(texts, values), path
