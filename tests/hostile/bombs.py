"""Small files that claim to be large: chunks that inflate to far more than they take on disk."""
import struct
import zlib

import h5py
import numpy as np

from hostile.bases import base

BLOCK = 1 << 20


def zeros_deflated(n_bytes):
    """A zlib stream of zeros, put together from blocks that were compressed once: a thousandth of its size."""
    assert n_bytes % BLOCK == 0
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = compressor.compress(bytes(BLOCK)) + compressor.flush(zlib.Z_FULL_FLUSH)
    checksum = (n_bytes % 65521) << 16 | 1
    return b"\x78\xda" + block * (n_bytes // BLOCK) + compressor.flush(zlib.Z_FINISH) + struct.pack(">I", checksum)


def chunk_of(dataset, chunk, stored, shuffle=False, fixed=False):
    """Rewrites a one-dimensional dataset with chunks of so many elements; the first is stored as these bytes."""

    def edit(root):
        old = root[dataset]
        attributes, dtype = dict(old.attrs), old.id.get_type()
        size = old.shape[0]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((chunk,))
        if shuffle:
            properties.set_shuffle()
        properties.set_deflate(4)
        space = h5py.h5s.create_simple((size,), (size if fixed else h5py.h5s.UNLIMITED,))
        del root[dataset]
        made = h5py.h5d.create(root.id, dataset.encode(), dtype, space, properties)
        made.write_direct_chunk((0,), stored)
        for name, value in attributes.items():
            root[dataset].attrs[name] = value

    return edit


def bomb(folder, name, dataset, chunk, stored, **how):
    path = base(name, folder)
    with h5py.File(path, "r+") as root:
        chunk_of(dataset, chunk, stored, **how)(root)
    return path


def one_chunk(folder, n_obs, n_vars, shuffle, per_row):
    """A good file whose indices and values are one chunk each, of zeros deflated to almost nothing. Every row has `per_row` entries, all of
    the first gene, each of which is zero."""
    path = base("modern", folder)
    nnz = n_obs * per_row
    with h5py.File(path, "r+") as root:
        root["X"].attrs["shape"] = np.array([n_obs, n_vars])
        del root["X/indptr"], root["X/data"], root["X/indices"]
        root["X/indptr"] = np.arange(0, nnz + 1, per_row, dtype="i8")
        stored = zeros_deflated(4 * nnz)
        for array, dtype in (("data", "f4"), ("indices", "i4")):
            root["X"].create_dataset(array, shape=(8,), maxshape=(None,), chunks=(8,), dtype=dtype)
            chunk_of(f"X/{array}", nnz, stored, shuffle=shuffle)(root)
            root[f"X/{array}"].resize((nnz,))
    assert path.stat().st_size < 4 << 20
    return path
