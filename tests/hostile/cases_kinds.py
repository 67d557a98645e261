"""What is no input at all, or one of the kinds that quern does not read: the error says what it is."""
import gzip
import os
import socket
import zipfile

import h5py
import numpy as np

from hostile.bases import base, damaged, delete, first_bytes, h5
from hostile.table import Case

NOBODY = 65534


def content(name, content_bytes):
    def make(folder):
        (folder / name).write_bytes(content_bytes)
        return folder / name

    return make


def directory(name, files=()):
    def make(folder):
        (folder / name).mkdir()
        for file in files:
            (folder / name / file).write_text("{}")
        return folder / name

    return make


def hdf5(name, build):
    def make(folder):
        with h5py.File(folder / name, "w") as root:
            build(root)
        return folder / name

    return make


def _unreadable(folder):
    path = base("modern", folder)
    path.chmod(0)
    return path


def _unreachable(folder):
    (folder / "closed").mkdir()
    path = base("modern", folder / "closed")
    (folder / "closed").chmod(0)
    return path


def _closed_directory(folder):
    (folder / "closed").mkdir(mode=0)
    return folder / "closed"


def _fifo(folder):
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _socket(folder):
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(".", os.O_RDONLY)
        os.chdir(folder)  # a socket's path must be short
        made.bind("socket")
        os.fchdir(here)
        os.close(here)
    return folder / "socket"


def _symlink(target):
    def make(folder):
        (folder / "link.h5ad").symlink_to(target)
        return folder / "link.h5ad"

    return make


def _gzipped(folder):
    path = folder / "input.h5ad.gz"
    path.write_bytes(gzip.compress(base("modern", folder).read_bytes()))
    return path


def _zip(folder):
    with zipfile.ZipFile(folder / "input.zip", "w") as archive:
        archive.writestr(".zgroup", "{}")
    return folder / "input.zip"


def _molecules_v3(root):
    root.attrs["filetype"] = "molecule"
    for name in ("barcode_idx", "feature_idx", "count", "umi"):
        root[name] = np.zeros(4, "u4")


def _molecules_v2(root):
    for name in ("barcode", "gene", "umi", "reads"):
        root[name] = np.zeros(4, "u8")


def _loom(root):
    root["matrix"] = np.zeros((4, 3), "f4")
    for name in ("row_attrs", "col_attrs", "layers", "row_graphs", "col_graphs"):
        root.create_group(name)


def _h5mu(root):
    root.attrs["encoding-type"], root.attrs["encoding-version"] = "MuData", "0.1.0"
    root.create_group("mod/rna/X")


def _h5seurat(root):
    root.create_group("assays/RNA/counts")
    root["active.ident/levels"] = np.zeros(1)


def _weights(root):
    root["layer_names"] = np.zeros(3)
    root.create_group("model")


def _everywhere(name, make, code, says, **how):
    return Case(name, make, code, says, info=code, **how)


CASES = [
    _everywhere("missing", lambda folder: folder / "none.h5ad", "not-found", "No such file"),
    _everywhere("missing-folder", lambda folder: folder / "none" / "none.h5ad", "not-found", "No such file"),
    _everywhere("below-a-file", lambda folder: base("modern", folder) / "x.h5ad", "not-found", "Not a directory"),
    _everywhere("empty-name", "", "not-found", "No such file"),
    _everywhere("long-name", "x" * 5000, "not-found", "too long"),
    _everywhere("broken-symlink", _symlink("none"), "not-found", "No such file"),
    _everywhere("symlink-loop", _symlink("link.h5ad"), "not-found", "symbolic links"),
    _everywhere("no-permission", _unreadable, "no-permission", "no permission to read this file", user=NOBODY),
    _everywhere("no-permission-above", _unreachable, "no-permission", "no permission to reach", user=NOBODY),
    _everywhere("no-permission-directory", _closed_directory, "no-permission", "no permission to read this directory", user=NOBODY),
    _everywhere("standard-input", "-", "2 stdin-input", "cannot be read"),
    _everywhere("device-of-standard-input", "/dev/stdin", "2 stdin-input", "cannot be read"),
    _everywhere("device", "/dev/null", "not-a-file", "neither a file nor a directory"),
    _everywhere("fifo", _fifo, "not-a-file", "neither a file nor a directory"),
    _everywhere("socket", _socket, "not-a-file", "neither a file nor a directory"),
    _everywhere("empty-file", content("input.h5ad", b""), "empty-file", "an empty file"),
    _everywhere("directory", directory("folder"), "no-matrix", "without matrix.mtx"),
    _everywhere("zarr-v2", directory("input.zarr", [".zgroup", ".zattrs"]), "zarr", "a zarr store"),
    _everywhere("zarr-v3", directory("input.zarr", ["zarr.json"]), "zarr", "a zarr store"),
    _everywhere("zarr-zipped", _zip, "not-hdf5", "a zip archive"),
    _everywhere("text", content("input.h5ad", b"these are not the cells\n" * 99), "not-hdf5", "neither HDF5 nor a MatrixMarket text"),
    _everywhere("one-byte", content("input.h5ad", b"\x89"), "not-hdf5", "neither HDF5"),
    _everywhere("zeros", content("input.h5ad", bytes(1 << 16)), "not-hdf5", "neither HDF5"),
    _everywhere("hdf5-gzipped", _gzipped, "not-hdf5", "gzip-compressed HDF5"),
    _everywhere("r-data-of-old", content("input.rda", gzip.compress(b"RDX3\nX\n")), "not-hdf5", "an R data file"),
    _everywhere("r-data", content("input.rds", gzip.compress(b"X\n\0\0\0\3")), "not-hdf5", "an R data file"),
    _everywhere("hdf5-signature-only", damaged("modern", first_bytes(8)), "truncated", "ends after 8 bytes"),
    _everywhere("hdf5-of-another-kind", hdf5("weights.h5", _weights), "unknown-layout", "layer_names, model"),
    _everywhere("hdf5-empty", hdf5("empty.h5", lambda root: None), "unknown-layout", "nothing"),
    _everywhere("molecule-info-v3", hdf5("molecule_info.h5", _molecules_v3), "molecule-info", "10x molecule_info"),
    _everywhere("molecule-info-v2", hdf5("molecule_info.h5", _molecules_v2), "molecule-info", "10x molecule_info"),
    _everywhere("loom", hdf5("input.loom", _loom), "loom", "a loom file"),
    _everywhere("h5mu", hdf5("input.h5mu", _h5mu), "h5mu", "MuData"),
    _everywhere("h5seurat", hdf5("input.h5seurat", _h5seurat), "h5seurat", "an h5Seurat file"),
    _everywhere("only-uns", h5("modern", delete("X", "obs", "var", "obsm", "varm", "obsp", "varp", "layers")), "missing-group", "not in the file"),
]
