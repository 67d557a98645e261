"""Runs that together make every call of HDF5, zlib and the system that the program knows."""
import gzip

import h5py
import numpy as np

from hostile.bases import N_OBS, N_VARS, NNZ, TRUTH, base, cell_names, gene_names, h5, h5ad, link, random_truth, replace
from hostile.bombs import one_chunk
from hostile.cases_text import directory


def _with_links(folder):
    return h5("modern", link("uns/away", h5py.ExternalLink("other.h5", "/X")), link("uns/soft", h5py.SoftLink("/X")))(folder)


def _csc(folder):
    return h5("csc", lambda root: [replace(f"X/{name}", root[f"X/{name}"][...], filters="gzip", chunk=16)(root) for name in ("data", "indices")])(folder)


def _half_precision(folder):
    return h5("modern", lambda root: replace("X/data", root["X/data"][...].astype("f2"), filters="zstd")(root),
              lambda root: replace("X/indices", root["X/indices"][...], filters="zstd")(root),
              lambda root: replace("obs/number", root["obs/number"][...], filters="zstd")(root))(folder)


def _odd_width(folder):
    """24 bits of 32, which only HDF5 converts."""
    kind = h5py.h5t.STD_I32LE.copy()
    kind.set_precision(24)

    def edit(root):
        values = root["X/data"][...].astype("i4")
        del root["X/data"]
        space, creation = h5py.h5s.create_simple(values.shape), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((100,))
        h5py.h5d.create(root["X"].id, b"data", kind, space, creation).write(space, space, values)

    return h5("modern", edit)(folder)


def _grids(folder):
    def edit(root):
        root["obsm/cube"] = np.arange(N_OBS * 6, dtype="f4").reshape(N_OBS, 2, 3)
        root["obsm/waves"] = np.arange(N_OBS * 2).reshape(N_OBS, 2) * (1 + 2j)

    return h5("modern", edit)(folder)


def _booleans(folder):
    return h5("modern", lambda root: replace("X/data", np.ones(NNZ, bool))(root))(folder)


def _arrays_in_a_table(folder):
    table = np.ones(N_OBS, dtype=[("X_pca", "f4", (3,)), ("X_umap", "f8", (2,))])
    return h5("0.6", replace("obsm", table))(folder)


def _texts_in_a_table(folder):
    """Variable-length names as a field, which only HDF5 reads."""
    table = np.array([(name,) for name in cell_names(N_OBS)], dtype=[("index", h5py.string_dtype())])
    return h5("0.6", replace("obs", table))(folder)


def _large(folder):
    """Names in a chunk that HDF5's cache would not hold; a table that a buffer does not hold."""
    path = folder / "input.h5ad"
    truth = random_truth("large", 20000, 3, 0.5)
    with h5ad.open_08(str(path), cell_names(20000), ["a", "b", "c"], columns=False) as root:
        h5ad.sparse(root, "X", truth)
        replace("obs/_index", np.array([f"cell-{i:060}".encode() for i in range(20000)]), chunk=20000)(root)
    return path


def _after_a_user_block(folder):
    path = folder / "input.h5ad"
    with h5ad.open_08(str(path), cell_names(N_OBS), gene_names(N_VARS), userblock=1024) as root:
        h5ad.sparse(root, "X", TRUTH, filters="gzip", chunk=100)
    return path


def _everything(folder):
    """What a carry-over does not meet in an ordinary file."""

    def edit(root):
        root["uns/number"], root["uns/text"], root["uns/none"] = np.float64(1.5), "text", h5py.Empty("f4")
        root["uns/fixed"] = np.array([b"one"])
        root["uns/texts"] = np.array([["a", "b"], ["c", "d"]], dtype=h5py.string_dtype())
        table = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("t", h5py.string_dtype())])
        root.create_dataset("uns/table", data=table, chunks=(2,), compression="gzip")
        replace("obs/_index", np.array(cell_names(N_OBS), dtype=h5py.string_dtype()), chunk=20, filters="gzip")(root)
        odd = root.create_group("uns/odd")
        odd.attrs.update({"encoding-type": "of-tomorrow", "encoding-version": "9", "refers": root["X"].ref, "list": np.arange(3)})
        odd["values"] = np.arange(5)
        codes = root.create_dataset("uns/groups/codes", data=np.array([0, 1, -1], dtype="i1"))
        codes.parent.attrs.update({"encoding-type": "categorical", "encoding-version": "0.2.0", "ordered": False})
        root["uns/groups/categories"] = np.array([1.5, 2.5])
        names = root.create_group("uns/names")
        names.attrs.update({"encoding-type": "nullable-string-array", "encoding-version": "0.1.0"})
        names["values"], names["mask"] = np.array(["a", "b"], dtype=h5py.string_dtype()), np.array([True, False])
        replace("X/indices", root["X/indices"][...].astype("u4"), filters="gzip")(root)

    return h5("modern", edit)(folder)


def _indices_to_copy(folder):
    path = folder / "input.h5ad"
    with h5ad.open_08(str(path), cell_names(300), gene_names(40)) as root:
        h5ad.sparse(root, "X", random_truth("copied", 300, 40, 0.5), filters="gzip", chunk=5000)
    return path


def _named_cells(make):
    """A list of every third cell beside the file."""

    def make_both(folder):
        (folder / "cells.txt").write_text("\n".join(cell_names(N_OBS)[::3]) + "\nnobody\n")
        return make(folder)

    return make_both


def _counts(folder):
    """Whole numbers, dense."""
    return h5("dense", lambda root: replace("X", np.rint(root["X"][...] * 3).astype("i4"))(root))(folder)


def _wide_directory(folder):
    """A whole number that 32-bit floats do not hold."""
    path = directory(compressed=False)(folder)
    matrix = path / "matrix.mtx" if path.is_dir() else path
    lines = matrix.read_text(encoding="ascii").splitlines()
    lines[-1] = " ".join([*lines[-1].split()[:2], "20000001"])
    matrix.write_text("\n".join(lines) + "\n", encoding="ascii")
    return path


WRITTEN = ["-o", "OUT/out.h5ad", "--percent-top", "none"]
NORMALIZED = ["-o", "OUT/out.h5ad", "--key-added", "factor", "--counts-layer", "counts"]
def _repeated_entries(folder):
    """Their sum needs more bits than the values that are read at first: all is written twice."""

    def edit(root):
        replace("X/data", np.array([2 ** 24, 1, 5], "f4"))(root)
        replace("X/indices", np.array([1, 1, 0], "i4"))(root)
        replace("X/indptr", np.array([0, 2] + [3] * (N_OBS - 1), "i4"))(root)

    return h5("modern", edit)(folder)


def _wide_numbers(folder):
    """A matrix directory with a count that 32-bit floats do not hold: its X is written twice."""
    path = folder / "matrix"
    path.mkdir()
    (path / "genes.tsv").write_text("id1\tA\nid2\tB\n")
    (path / "barcodes.tsv").write_text("c1\nc2\n")
    (path / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n2 2 2\n1 1 3\n2 2 20000001\n")
    return path


def _with_factors(folder):
    """A matrix, and what it is multiplied with beside it."""
    np.save(folder / "genes.npy", np.ones((N_VARS, 2), dtype="f4"))
    rows = "".join(f"{name}\t1\t2\n" for name in cell_names(N_OBS))
    (folder / "cells.tsv.gz").write_bytes(gzip.compress(("cell\ta\tb\n" + rows).encode()))
    return base("modern", folder)


FILTERED = ["-o", "OUT/out.h5ad", "--min-genes", "2", "--min-cells", "2", "--min-gene-counts", "3"]
TABLES = ["--cells-out", "OUT/cells.tsv.gz", "--genes-out", "OUT/genes.tsv", "--percent-top", "none"]

# name: (verb, the input, other words)
SCENARIOS = {
    "gzip": ("qc", lambda folder: base("modern", folder), TABLES),
    "0.7": ("qc", lambda folder: base("0.7", folder), TABLES),
    "0.6": ("qc", lambda folder: base("0.6", folder), TABLES),
    "0.6-texts": ("qc", _texts_in_a_table, TABLES),
    "contiguous": ("qc", lambda folder: base("contiguous", folder), TABLES),
    "tiles": ("qc", lambda folder: base("dense", folder), TABLES),
    "csc": ("qc", _csc, [*TABLES, "-m", "8MiB"]),
    "10x": ("qc", lambda folder: base("10x-v3", folder), TABLES),
    "mtx": ("qc", directory(compressed=True), TABLES),
    "replaced": ("qc", lambda folder: base("modern", folder), [*TABLES, "--force"]),
    "half": ("qc", _half_precision, TABLES),
    "booleans": ("qc", _booleans, TABLES),
    "odd-width": ("qc", _odd_width, TABLES),
    "giant": ("qc", lambda folder: one_chunk(folder, N_OBS, N_VARS, False, 1 << 18), [*TABLES, "-m", "64MiB"]),
    "stdout": ("qc", _large, ["--cells-out", "-", "--percent-top", "none"]),
    "checked": ("check", lambda folder: base("modern", folder), ["--deep"]),
    "checked-0.6": ("check", lambda folder: base("0.6", folder), ["--deep"]),
    "obsm": ("show", _arrays_in_a_table, ["obsm/X_pca", "-o", "OUT/shown.tsv"]),
    "cube": ("show", _grids, ["obsm/cube", "-o", "OUT/shown.tsv"]),
    "waves": ("show", _grids, ["obsm/waves", "-o", "OUT/shown.tsv"]),
    "obs-zstd": ("show", _half_precision, ["obs", "-o", "OUT/shown.tsv"]),
    "tree": ("info", _with_links, ["--tree"]),
    "info-0.6": ("info", lambda folder: base("0.6", folder), []),
    "user-block": ("qc", _after_a_user_block, TABLES),
    "obs": ("show", lambda folder: base("modern", folder), ["obs", "-o", "OUT/shown.tsv"]),
    "obs-0.6": ("show", lambda folder: base("0.6", folder), ["obs", "-o", "OUT/shown.tsv"]),
    "X": ("show", lambda folder: base("modern", folder), ["X", "-o", "OUT/shown.tsv"]),
    "generated": ("generate", lambda folder: folder / "out" / "made.h5ad", ["--preset", "pbmc3k", "--cells", "20"]),
}
SCENARIOS |= {
    "written": ("qc", lambda folder: base("modern", folder), WRITTEN),
    "written-0.7": ("qc", lambda folder: base("0.7", folder), WRITTEN),
    "written-0.6": ("qc", lambda folder: base("0.6", folder), WRITTEN),
    "written-table": ("qc", _arrays_in_a_table, WRITTEN),
    "written-contiguous": ("qc", lambda folder: base("contiguous", folder), WRITTEN),
    "written-half": ("qc", _half_precision, WRITTEN),
    "written-everything": ("qc", _everything, WRITTEN),
}
SCENARIOS |= {
    "normalized": ("normalize", lambda folder: base("modern", folder), [*NORMALIZED, "--compression", "zstd"]),
    "normalized-copied": ("normalize", _indices_to_copy, [*NORMALIZED, "--target-sum", "1e4"]),
    "normalized-dense": ("normalize", lambda folder: base("dense", folder), [*NORMALIZED, "--compression", "lzf"]),
    "normalized-csc": ("normalize", _csc, [*NORMALIZED, "--compression", "blosc", "--exclude-highly-expressed"]),
    "filtered": ("filter", _everything, FILTERED),
    "filtered-dense": ("filter", lambda folder: base("dense", folder), [*FILTERED, "--max-pct", "mt=100"]),
    "filtered-twice": ("filter", _repeated_entries, ["-o", "OUT/out.h5ad", "--min-genes", "1"]),
    "filtered-list": ("filter", _named_cells(_csc), ["-o", "OUT/out.h5ad", "--keep-cells", "@OUT/../cells.txt"]),
    "converted": ("convert", _indices_to_copy, ["-o", "OUT/out.h5ad"]),
    "converted-lzf": ("convert", _csc, ["-o", "OUT/out.h5ad", "--compression", "lzf", "--chunk", "50"]),
    "converted-10x": ("convert", lambda folder: base("10x-v3", folder), ["-o", "OUT/out.h5ad"]),
    "filtered-mtx": ("filter", _wide_numbers, ["-o", "OUT/out.h5ad", "--min-genes", "1"]),
    "converted-mtx": ("convert", directory(compressed=True), ["-o", "OUT/out.h5ad"]),
    "converted-to-10x": ("convert", _counts, ["-o", "OUT/out.h5"]),
    "converted-to-mtx": ("convert", _counts, ["-o", "OUT/folder", "-m", "64MiB"]),
    "multiplied": ("multiply", _with_factors, ["--by", "OUT/../genes.npy", "-o", "OUT/out.npy"]),
    "multiplied-table": ("multiply", _with_factors, ["--by", "OUT/../cells.tsv.gz", "--transpose", "-o", "OUT/out.tsv"]),
    "multiplied-h5ad": ("multiply", _with_factors, ["--by", "OUT/../genes.npy", "-o", "OUT/out.h5ad", "--key", "obsm/X_new"]),
    "written-mtx-wide": ("qc", _wide_directory, WRITTEN),
}
for how in (["--layout", "legacy"], ["--layout", "10x-v3"], ["--compression", "zstd"]):
    SCENARIOS[f"generated-{how[1]}"] = ("generate", lambda folder: folder / "out" / "made.h5ad", ["--preset", "pbmc3k", "--cells", "20", *how])

ABSENT = {"no-renameat2": "renameat2", "no-nameless-files": "O_TMPFILE"}  # of a scenario: what the system does not have
SCENARIOS["no-renameat2"] = SCENARIOS["gzip"]
SCENARIOS["no-nameless-files"] = SCENARIOS["stdout"]


def words_of(scenario, folder):
    """The words of a run; makes the input."""
    verb, make, words = SCENARIOS[scenario]
    path = make(folder)
    return [verb, path, *(word.replace("OUT", str(folder / "out")) for word in words), "--json", folder / "out" / "report.json"]
