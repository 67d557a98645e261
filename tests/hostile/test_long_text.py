"""Strings longer than anybody needs, and strings that are nowhere, however they are stored: refused by name, or empty."""
import h5py
import numpy as np
import pytest

from hostile.bases import N_OBS, N_VARS, cell_names, h5
from hostile.bombs import one_chunk
from hostile.table import run

LONG = "x" * (17 << 20)  # one more MiB than is read of a string


def record(root):
    """Which only HDF5 reads: a field of a table."""
    names = [LONG, *cell_names(N_OBS)[1:]]
    del root["obs"]
    root["obs"] = np.array([(name,) for name in names], dtype=[("index", h5py.string_dtype())])


def grid(root):
    root.create_dataset("obsm/words", (1, 2), h5py.string_dtype())[0, 1] = LONG


def fixed_grid(root):
    root["obsm/words"] = np.array([[b"a", LONG.encode()]])


@pytest.mark.parametrize("generation, edit, words", [("0.6", record, ["show", "obs"]), ("modern", grid, ["show", "obsm/words"]), ("modern", fixed_grid, ["show", "obsm/words"])],
                         ids=["record", "grid", "fixed-grid"])
def test_too_long(quern_bin, tmp_path, generation, edit, words):
    path = h5(generation, edit)(tmp_path)
    done = run(quern_bin, [words[0], path, *words[1:]], tmp_path / "out")
    assert done.status == 5 and "[text-too-long]" in done.stderr, done.stderr


def test_collection_too_large(quern_bin, tmp_path):
    """Refused for its size alone, whatever is in it."""

    def edit(root):
        del root["obs/_index"]
        root["obs/_index"] = np.array([LONG] + cell_names(N_OBS)[1:], dtype=h5py.string_dtype())

    path = h5("modern", edit)(tmp_path)
    content = path.read_bytes()
    at = content.index(b"x" * 100) - 16  # the header of the string in its collection
    assert content[at - 16:at - 12] == b"GCOL" and content[at] == 1
    path.write_bytes(content[:at] + b"\0" + content[at + 1:])  # free room instead
    done = run(quern_bin, ["show", path, "obs"], tmp_path / "out")
    assert done.status == 5 and "[text-too-long]" in done.stderr, done.stderr


def add_column(root, name):
    root["obs"].attrs["column-order"] = np.array([*root["obs"].attrs["column-order"], name], dtype=h5py.string_dtype())


def unwritten(root):
    """No room is taken before something is written."""
    root.create_dataset("obs/words", (N_OBS,), h5py.string_dtype()).attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
    add_column(root, "words")


def test_never_written(quern_bin, tmp_path):
    path = h5("modern", unwritten)(tmp_path)
    done = run(quern_bin, ["show", path, "obs", "-o", tmp_path / "out" / "a.tsv"], tmp_path / "out")
    last = [line.split("\t")[-1] for line in done.left["a.tsv"].decode().splitlines()]
    assert done.status == 0 and last == ["words"] + [""] * N_OBS, done.stderr


def test_short_chunk_that_is_larger_than_a_slot(quern_bin, tmp_path):
    """Stored as it is, in a packed dataset, and cut."""
    path = one_chunk(tmp_path, N_OBS, N_VARS, False, 1 << 18)
    with h5py.File(path, "r+") as root:
        root["X/data"].id.write_direct_chunk((0,), bytes(4096), filter_mask=1)
    done = run(quern_bin, ["qc", path, "-m", "64MiB"], tmp_path / "out")
    assert done.status == 3 and "[corrupt-chunk]" in done.stderr and "holds less than" in done.stderr, done.stderr
