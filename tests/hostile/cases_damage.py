"""Files cut off or with bytes changed: metadata structures of HDF5 and stored chunks."""
import struct

import numpy as np

from hostile.bases import N_OBS, after, damaged, first_bytes, flip_at, h5, in_chunk, in_contiguous, in_index, replace
from hostile.table import Case


def _everywhere(name, make, code, says="", **how):
    return Case(name, make, code, says, info=code, **how)


def cut_to(share):
    return lambda content, _: content[:int(len(content) * share)]


def _end_moved_to(size):
    """Cuts the file and lets the superblock (version 0) agree, so that what is missing shows only when it is read."""

    def edit(content, path):
        length = size(content, path)
        content[40:48] = length.to_bytes(8, "little")
        return content[:length]

    return edit


def _member(offset):
    """A place in the metadata of the attribute `shape` of X."""
    return after(b"shape\0\0\0", offset)


def _gzip_of_indptr(root):
    replace("X/indptr", root["X/indptr"][...], filters="gzip")(root)


def _names_in(name, chunk=N_OBS):
    return replace("obs/_index", np.array([f"cell-{i % 3:020}".encode() for i in range(N_OBS)]), filters=name, chunk=chunk)


# A filter, a place in the chunk and what comes there: sizes of nothing, of too much, streams that do not decode.
DAMAGED_FILTERS = [("zstd", 12, b"\xff" * 8), ("zstd", 0, b"\0" * 4), ("lz4", 0, b"\0" * 8), ("lz4", 0, b"\0\0\1\0\0\0\0\0"), ("lz4", 12, b"\xff" * 4),
                   ("lzf", 0, b"\xff" * 2), ("blosc-blosclz", 20, b"\xff" * 12), ("blosc-blosclz", 0, b"\xff" * 16)]


def _overwrite(place, new):
    def edit(content, path):
        at = place(content, path)
        content[at:at + len(new)] = new

    return edit


# Chunks of 10 names of 25 bytes, which the layout calls chunks of 40: HDF5 1.10.8 would show what lies behind them in memory.
_LONGER_CHUNKS = _overwrite(after(struct.pack("<II", 10, 25)), struct.pack("<I", 40))


SHORT_CHUNKS = damaged(h5("modern", _names_in("gzip", 10)), _LONGER_CHUNKS)


def _size_in_index(size):
    return damaged("plain", _overwrite(in_index("X/data", 1), struct.pack("<I", size)))


CASES = [
    # ---- cut off
    *[_everywhere(f"cut-to-{count}-bytes", damaged("modern", first_bytes(count)), "truncated", f"ends after {count} bytes")
      for count in (9, 47, 48, 95, 96, 511, 512, 2048)],
    *[_everywhere(f"cut-to-{share}-of-{name}", damaged(name, cut_to(share)), "truncated", "its header says")
      for name in ("modern", "contiguous", "0.6", "10x-v3") for share in (0.25, 0.5, 0.9, 0.999)],
    _everywhere("cut-by-one-byte", damaged("modern", first_bytes(-1)), "truncated", "its header says"),
    Case("cut-unseen-in-a-chunk", damaged("data-last-chunked", _end_moved_to(in_chunk("X/data", 2, 30))), "truncated", "cannot be read", "/X/data"),
    Case("cut-unseen-in-contiguous-data", damaged("data-last-contiguous", _end_moved_to(in_contiguous("X/data", 30))), "truncated", "ends at byte",
         "/X/data"),
    # ---- structures of HDF5
    _everywhere("superblock-version", damaged("modern", flip_at(8)), "newer-hdf5", "newer than HDF5 1.10's, or damaged"),
    _everywhere("superblock-size-of-offsets", damaged("modern", flip_at(13)), "corrupt-hdf5"),
    _everywhere("superblock-root-address", damaged("modern", flip_at(64)), "newer-hdf5", "newer than HDF5 1.10's, or damaged"),
    _everywhere("superblock-end-of-file", damaged("modern", flip_at(46)), "truncated", "its header says"),
    _everywhere("root-tree-signature", damaged("modern", flip_at(after(b"TREE"))), "corrupt-hdf5"),
    _everywhere("root-heap-signature", damaged("modern", flip_at(after(b"HEAP"))), "corrupt-hdf5"),
    _everywhere("root-heap-size", damaged("modern", flip_at(after(b"HEAP", 15))), "corrupt-hdf5"),
    _everywhere("group-node-signature", damaged("modern", flip_at(after(b"SNOD"))), "corrupt-hdf5"),
    _everywhere("group-node-count", damaged("modern", _overwrite(after(b"SNOD", 6), b"\xff\xff")), "corrupt-hdf5"),
    Case("chunk-tree-signature", damaged("plain", flip_at(after(b"TREE\x01"))), "corrupt-hdf5"),
    Case("attribute-type", damaged("modern", flip_at(_member(8))), "newer-hdf5", "could not look for it", "/X (attribute shape)"),
    Case("attribute-bits", damaged("modern", flip_at(_member(16))), "bad-shape"),
    Case("attribute-space", damaged("modern", flip_at(_member(24))), "newer-hdf5", "could not look for it", "/X (attribute shape)"),
    # ---- stored chunks
    Case("gzip-stream", damaged("modern", flip_at(in_chunk("X/data", 1, 12))), "corrupt-chunk", "does not decode (gzip)", "/X/data"),
    Case("gzip-header", damaged("modern", flip_at(in_chunk("X/indices", 0, 0))), "corrupt-chunk", "does not decode (gzip)", "/X/indices"),
    Case("gzip-checksum", damaged("modern", flip_at(in_chunk("X/indices", 0, 20))), "corrupt-chunk", "does not decode (gzip)", "/X/indices"),
    Case("fletcher32", damaged("checksums", flip_at(in_chunk("X/data", 1, 12))), "bad-checksum", "fletcher32", "/X/data"),
    *[Case(f"{name}-of-names-{number}", damaged(h5("modern", _names_in(name)), _overwrite(in_chunk("obs/_index", 0, place), new)), "corrupt-chunk",
           "a stored chunk", "/obs/_index") for number, (name, place, new) in enumerate(DAMAGED_FILTERS)],
    *[Case(f"{name}-chunks-shorter-than-their-layout", damaged(h5("modern", _names_in(name, 10)), _LONGER_CHUNKS), "corrupt-chunk", "expected 1000",
           "/obs/_index") for name in ("none", "gzip", "lzf", "zstd", "lz4", "shuffle+gzip+fletcher32")],
    *[Case(f"{size}-bytes-in-the-index-of-chunks", _size_in_index(size), "corrupt-chunk", "expected 400 each", "/X/data") for size in (8, 399, 4000)],
    Case("gzip-of-indptr", damaged(h5("modern", _gzip_of_indptr), flip_at(in_chunk("X/indptr", 0, 12))), "corrupt-chunk", "does not decode (gzip)",
         "/X/indptr"),
]
