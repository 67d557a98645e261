"""Small good files that the cases damage, each made once and copied; and the edits that damage them."""
import struct
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))

import h5ad  # noqa: E402
import tenx  # noqa: E402
from model import cell_names, gene_names, random_truth  # noqa: E402
from store import store  # noqa: E402

N_OBS, N_VARS = 37, 64
TRUTH = random_truth("hostile", N_OBS, N_VARS)
NNZ = len(TRUTH.rows)
OBS, VAR = cell_names(N_OBS), gene_names(N_VARS)


def _write_modern(path, **how):
    with h5ad.open_08(path, OBS, VAR) as root:
        h5ad.sparse(root, "X", TRUTH, **{"filters": "shuffle+gzip", "chunk": 100, **how})


def _write_dense(path):
    with h5ad.open_08(path, OBS, VAR) as root:
        h5ad.dense(root, "X", TRUTH, filters="gzip", chunk=(8, 16))


def _write_07(path):
    with h5py.File(path, "w") as root:
        h5ad.frame_07(root, "obs", OBS)
        h5ad.frame_07(root, "var", VAR)
        h5ad.sparse(root, "X", TRUTH, filters="gzip")


def _write_06(path):
    with h5py.File(path, "w") as root:
        h5ad.frame_06(root, "obs", OBS)
        h5ad.frame_06(root, "var", VAR)
        h5ad.sparse(root, "X", TRUTH, tags="legacy", filters="gzip")


def _write_data_last(path, **how):
    """Everything but the values of X lies before them in the file."""
    with h5ad.open_08(path, OBS, VAR) as root:
        made = h5ad.sparse(root, "X", TRUTH)
        data = made["data"][...]
        del made["data"]
    with h5py.File(path, "r+") as root:  # what the deleted data left free is forgotten
        store(root["X"], "data", data, **how)


_WRITERS = {
    "modern": _write_modern,
    "plain": lambda path: _write_modern(path, filters="none"),
    "checksums": lambda path: _write_modern(path, filters="shuffle+gzip+fletcher32"),
    "contiguous": lambda path: _write_modern(path, layout="contiguous", indptr={"layout": "contiguous"}),
    "data-last-contiguous": lambda path: _write_data_last(path, layout="contiguous"),
    "data-last-chunked": lambda path: _write_data_last(path, chunk=100),
    "csc": lambda path: _write_modern(path, kind="csc"),
    "dense": _write_dense,
    "0.7": _write_07,
    "0.6": _write_06,
    "10x-v2": lambda path: tenx.v2(path, {"hg19": TRUTH}, OBS, VAR),
    "10x-v3": lambda path: tenx.v3(path, TRUTH, OBS, VAR, ["Gene Expression"] * N_VARS),
}
_made = {}


def base(name, folder):
    """A fresh copy of a good file."""
    path = folder / ("input.h5" if name.startswith("10x") else "input.h5ad")
    if name not in _made:
        _WRITERS[name](str(path))
        _made[name] = path.read_bytes()
    path.write_bytes(_made[name])
    return path


def h5(name, *edits):
    """The good file `name` after edits, each of which takes the open file."""

    def make(folder):
        path = base(name, folder)
        with h5py.File(path, "r+") as root:
            for edit in edits:
                edit(root)
        return path

    return make


def damaged(good, *edits):
    """A good file (its name, or what `h5` returned) after edits of its bytes, each of which takes (bytearray, path) and may return others."""

    def make(folder):
        path = base(good, folder) if isinstance(good, str) else good(folder)
        content = bytearray(path.read_bytes())
        for edit in edits:
            content = edit(content, path) or content
        path.write_bytes(content)
        return path

    return make


# ---- edits of an open file


def put(dataset, place, value):
    def edit(root):
        root[dataset][place] = value

    return edit


def replace(dataset, values, **how):
    def edit(root):
        attributes = dict(root[dataset].attrs) if dataset in root else {}
        if dataset in root:
            del root[dataset]
        made = store(root, dataset, values, **how)
        for name, value in attributes.items():
            made.attrs[name] = value

    return edit


def cut(dataset, count):
    """The first `count` elements only (negative: all but so many; beyond the end: zeros are added)."""

    def edit(root):
        values = root[dataset][...]
        size = count if count >= 0 else len(values) + count
        if values.dtype == object:
            texts = np.array([*values, *[b""] * size][:size], dtype=object)
            attributes = dict(root[dataset].attrs)
            del root[dataset]
            made = root.create_dataset(dataset, data=texts, dtype=h5ad.TEXT)
            for name, value in attributes.items():
                made.attrs[name] = value
            return
        replace(dataset, np.concatenate([values, np.zeros(max(0, size - len(values)), values.dtype)])[:size])(root)

    return edit


def as_type(dataset, dtype):
    def edit(root):
        replace(dataset, root[dataset][...].astype(dtype))(root)

    return edit


def delete(*objects):
    def edit(root):
        for name in objects:
            del root[name]

    return edit


def attribute(node, name, value):
    def edit(root):
        if name in root[node].attrs:
            del root[node].attrs[name]
        if value is not None:
            root[node].attrs[name] = value

    return edit


def encoding(node, kind, version):
    def edit(root):
        h5ad.tag(root[node], kind, version)

    return edit


def link(name, value):
    def edit(root):
        if name in root:
            del root[name]
        root[name] = value

    return edit


# ---- edits of bytes


def first_bytes(count):
    return lambda content, _: content[:count]


def flip_at(place, mask=0xFF):
    """Flips bits of one byte; `place`: a number or (content, path) -> number."""

    def edit(content, path):
        content[place if isinstance(place, int) else place(content, path)] ^= mask

    return edit


def after(signature, offset=0, nth=0):
    """The place `offset` bytes after the start of the nth occurrence."""

    def place(content, _):
        at = -1
        for _ in range(nth + 1):
            at = content.index(signature, at + 1)
        return at + offset

    return place


def in_chunk(dataset, number, offset):
    """A place in the stored bytes of a chunk."""

    def place(_, path):
        with h5py.File(path, "r") as root:
            return root[dataset].id.get_chunk_info(number).byte_offset + offset

    return place


def in_contiguous(dataset, offset):
    def place(_, path):
        with h5py.File(path, "r") as root:
            return root[dataset].id.get_offset() + offset

    return place


def in_index(dataset, number):
    """The place of a chunk in the index (a B-tree of version 1), where its size comes first."""

    def place(content, path):
        with h5py.File(path, "r") as root:
            chunk = root[dataset].id.get_chunk_info(number)
        corner = struct.pack(f"<{len(chunk.chunk_offset) + 1}Q", *chunk.chunk_offset, 0)
        return content.index(struct.pack("<II", chunk.size, chunk.filter_mask) + corner + struct.pack("<Q", chunk.byte_offset))

    return place
