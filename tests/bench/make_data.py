#!/usr/bin/env python3
"""Makes the files that tests/bench/run measures on: FOLDER/bench_CELLS_VARIANT.h5ad. Same arguments, same values.

  make_data.py FOLDER [--cells N] [--seed N] [--variants gz,raw]

  gz      what scanpy's write(compression="gzip") makes: gzip 4, the chunks that h5py chooses
  raw     contiguous, no filter
  tenx    chunks of 80,000 values, shuffle and gzip 4
  cxg     chunks of 9,766 values, gzip 4, 64-bit indices
  legacy  the layout of anndata 0.6: h5sparse_format, compound obs and var, gzip 4

The values imitate blood cells measured with droplets: 32,738 genes of which half are never seen, mean counts over five orders of
magnitude (the table below), twelve types of cells, about 1,550 non-zero values and 5,300 counts a cell. A pool of 3,000 cells is drawn
from Poisson distributions; each cell of the file is the sum of three pool cells of one type, thinned to between a half and all of their
counts. Needs numpy, scipy and h5py.
"""
import argparse
import os
import pathlib

import h5py
import numpy as np
import scipy.sparse as sp

VARIANTS = ("gz", "raw", "tenx", "cxg", "legacy")
N_GENES, N_TYPES, POOL_CELLS, BLOCK_CELLS = 32738, 12, 3000, 5000
POOL_COUNTS = 2370.0
# Share of the genes that are seen at all, and log of the mean count by rank among them (0 = most frequent).
SEEN = 0.51
RANKS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
LOG_MEANS = (4.9, 3.7, 3.0, 1.5, 0.1, -1.1, -2.5, -3.5, -5.0, -6.9, -7.5)
# Names that the ready-made sets of quern look for; they are given to frequent genes.
NAMED_GENES = [f"MT-{i + 1}" for i in range(13)] + [f"RPL{i + 1}" for i in range(45)] + [f"RPS{i + 1}" for i in range(35)]


def gene_table(rng):
    """Names and expected counts of a pool cell: (names, types x genes)."""
    n_seen = int(SEEN * N_GENES)
    log_mean = np.interp(np.arange(n_seen) / (n_seen - 1), RANKS, LOG_MEANS)
    place = rng.permutation(N_GENES)[:n_seen]  # where in the file the k-th most frequent gene stands
    profiles = np.zeros((N_TYPES, N_GENES))
    for profile in profiles:
        shift = np.where(rng.random(n_seen) < 0.3, rng.normal(0.0, 0.8, n_seen), 0.0)
        profile[place] = np.exp(log_mean + shift)
        profile *= POOL_COUNTS / profile.sum()
    names = [f"GENE{i:05d}" for i in range(N_GENES)]
    for name, where in zip(NAMED_GENES, rng.permutation(place[:200])):
        names[where] = name
    return names, profiles


def make_pool(rng, profiles):
    """POOL_CELLS cells as CSR; cell i is of type i % N_TYPES."""
    depth = np.exp(rng.normal(0.0, 0.45, POOL_CELLS) - 0.1)
    return sp.vstack([sp.csr_matrix(rng.poisson(profiles[i % N_TYPES] * depth[i]).astype("i4")) for i in range(POOL_CELLS)], format="csr")


def draw_cells(rng, pool, types):
    """One cell for each type given: three pool cells of the type, summed and thinned."""
    n_per_type = POOL_CELLS // N_TYPES
    cells = sum(pool[rng.integers(0, n_per_type, len(types)) * N_TYPES + types] for _ in range(3))
    kept = np.repeat(rng.uniform(0.5, 1.0, len(types)), np.diff(cells.indptr))
    cells.data = rng.binomial(cells.data, kept).astype("f4")
    cells.eliminate_zeros()
    cells.sort_indices()
    return cells


def make_matrix(n_cells, seed):
    rng = np.random.default_rng(seed)
    names, profiles = gene_table(rng)
    pool = make_pool(rng, profiles)
    types = np.arange(n_cells) % N_TYPES
    blocks = [draw_cells(rng, pool, types[first:first + BLOCK_CELLS]) for first in range(0, n_cells, BLOCK_CELLS)]
    return sp.vstack(blocks, format="csr"), names, types


def tag(element, encoding, version):
    element.attrs["encoding-type"] = encoding
    element.attrs["encoding-version"] = version
    return element


def write_texts(group, name, texts):
    tag(group.create_dataset(name, data=np.array(texts, dtype=object), dtype=h5py.string_dtype()), "string-array", "0.2.0")


def write_frame(file, name, index, types=None):
    frame = tag(file.create_group(name), "dataframe", "0.2.0")
    frame.attrs["_index"] = "_index"
    write_texts(frame, "_index", index)
    if types is None:
        frame.attrs["column-order"] = np.array([], dtype="f8")
        return
    frame.attrs["column-order"] = np.array(["type"], dtype=h5py.string_dtype())
    column = tag(frame.create_group("type"), "categorical", "0.2.0")
    column.attrs["ordered"] = False
    tag(column.create_dataset("codes", data=types.astype("i1")), "array", "0.2.0")
    write_texts(column, "categories", [f"type{i:02d}" for i in range(N_TYPES)])


def chunk_shape(chunk, length):
    """h5py's `chunks` for a chunk of so many values, for "auto" (h5py chooses), or None (contiguous)."""
    return True if chunk == "auto" else chunk and (min(chunk, length),)


def write_csr(file, matrix, chunk=None, index_type="i4", **filters):
    group = file.create_group("X")
    for name, array, dtype in (("data", matrix.data, "f4"), ("indices", matrix.indices, index_type), ("indptr", matrix.indptr, index_type)):
        group.create_dataset(name, data=array.astype(dtype), chunks=chunk_shape(chunk, len(array)), **filters)
    return group


def write_modern(file, matrix, cells, genes, types, **storage):
    tag(file, "anndata", "0.1.0")
    write_frame(file, "obs", cells, types)
    write_frame(file, "var", genes)
    group = tag(write_csr(file, matrix, **storage), "csr_matrix", "0.1.0")
    group.attrs["shape"] = np.array(matrix.shape, dtype="i8")


def write_legacy(file, matrix, cells, genes, types):
    group = write_csr(file, matrix, chunk="auto", compression="gzip", compression_opts=4)
    group.attrs["h5sparse_format"] = "csr"
    group.attrs["h5sparse_shape"] = np.array(matrix.shape, dtype="i8")
    obs = np.zeros(len(cells), dtype=[("index", "S16"), ("type", "i1")])
    obs["index"], obs["type"] = np.array(cells, dtype="S16"), types
    var = np.zeros(len(genes), dtype=[("index", "S16")])
    var["index"] = np.array(genes, dtype="S16")
    file.create_dataset("obs", data=obs, compression="gzip", compression_opts=4)
    file.create_dataset("var", data=var, compression="gzip", compression_opts=4)
    file["uns/type_categories"] = np.array([f"type{i:02d}" for i in range(N_TYPES)], dtype="S16")


STORAGE = {
    "gz": {"chunk": "auto", "compression": "gzip", "compression_opts": 4},
    "raw": {},
    "tenx": {"chunk": 80000, "compression": "gzip", "compression_opts": 4, "shuffle": True},
    "cxg": {"chunk": 9766, "compression": "gzip", "compression_opts": 4, "index_type": "i8"},
}


def write_variant(path, variant, matrix, genes, types):
    """The file appears under its name when it is whole."""
    cells = [f"cell{i:07d}" for i in range(matrix.shape[0])]
    unfinished = path.with_name(path.name + ".part")
    with h5py.File(unfinished, "w") as file:
        if variant == "legacy":
            write_legacy(file, matrix, cells, genes, types)
        else:
            write_modern(file, matrix, cells, genes, types, **STORAGE[variant])
    os.replace(unfinished, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    parser.add_argument("--cells", type=int, default=55000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    variants = options.variants.split(",")
    if not set(variants) <= set(VARIANTS):
        parser.error(f"variants are {', '.join(VARIANTS)}")
    options.folder.mkdir(parents=True, exist_ok=True)
    matrix, genes, types = make_matrix(options.cells, options.seed)
    print(f"{matrix.shape[0]:,} cells x {matrix.shape[1]:,} genes, {matrix.nnz:,} values", flush=True)
    for variant in variants:
        path = options.folder / f"bench_{options.cells}_{variant}.h5ad"
        write_variant(path, variant, matrix, genes, types)
        print(f"{path} {path.stat().st_size:,} bytes", flush=True)


if __name__ == "__main__":
    main()
