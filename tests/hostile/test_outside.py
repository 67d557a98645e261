"""What lies outside of the file is neither read nor run: external links, raw storage and virtual datasets only when allowed, plugins never."""
import os
import subprocess
import sys

import h5py

import pytest

from hostile.bases import NNZ, TRUTH, base, h5ad
from hostile.cases_outside import unknown_filter
from hostile.table import VERBS, command_of, judge, run

TOTAL = int(TRUTH.values.sum())


def link_to_other_file(path, outside):
    with h5py.File(path, "r+") as root:
        del root["X"]
        root["X"] = h5py.ExternalLink(outside, "/X")


def write_other_file(outside):
    with h5py.File(outside, "w") as root:
        h5ad.sparse(root, "X", TRUTH, filters="gzip")


def keep_data_raw(path, outside):
    with h5py.File(path, "r+") as root:
        del root["X/data"]
        root.create_dataset("X/data", shape=(NNZ,), dtype="f4", external=[(outside, 0, 4 * NNZ)])


def write_raw(outside):
    with h5py.File(base("modern", outside.parent), "r") as root:
        values = root["X/data"][...]
    outside.write_bytes(values.astype("<f4").tobytes())


def make_data_virtual(path, outside):
    layout = h5py.VirtualLayout(shape=(NNZ,), dtype="f4")
    layout[:] = h5py.VirtualSource(outside, "X/data", shape=(NNZ,))
    with h5py.File(path, "r+") as root:
        del root["X/data"]
        root.create_virtual_dataset("X/data", layout)


# How the file refers to what lies outside, what must lie there, and how the refusal calls it.
WAYS = [
    pytest.param(link_to_other_file, write_other_file, "an external link", "/X", id="external-link"),
    pytest.param(keep_data_raw, write_raw, "external raw data", "/X/data", id="external-storage"),
    pytest.param(make_data_virtual, write_other_file, "a virtual dataset", "/X/data", id="virtual-dataset"),
]


@pytest.mark.parametrize("refer, _, says, names", WAYS)
@pytest.mark.parametrize("verb", VERBS)
def test_refused_without_a_look(binary_for_all, folder, verb, refer, _, says, names):
    """A pipe without a writer lies there: opening it would not come back."""
    outside = folder / "outside"
    path = base("modern", folder)
    os.mkfifo(outside)
    refer(path, outside)
    done = run(binary_for_all, command_of(verb, path, folder / "out"), folder / "out")
    judge(done, verb, path, "external-reference", says, names)
    with pytest.raises(OSError):  # ENXIO: nobody has it open
        os.open(outside, os.O_WRONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("refer, write, says, names", WAYS)
def test_allowed(binary_for_all, folder, refer, write, says, names):
    outside = folder / "elsewhere" / "outside"
    outside.parent.mkdir()
    write(outside)
    path = base("modern", folder)
    refer(path, outside)
    words = command_of("qc", path, folder / "out")
    judge(run(binary_for_all, words, folder / "out"), "qc", path, "external-reference", says, names)
    done = run(binary_for_all, [*words, "--allow-external", "--force"], folder / "out")
    judge(done, "qc", path, "ok")
    assert done.report["result"]["total_counts"] == TOTAL


PLUGIN = r"""
#include <stddef.h>
#include <stdio.h>
typedef struct { int version, id; unsigned encoder, decoder; const char* name; void *can, *set; size_t (*filter)(unsigned, size_t, const unsigned*, size_t, size_t*, void**); } Filter;
__attribute__((constructor)) static void mark(void) { FILE* file = fopen(MARKER, "w"); if (file) fclose(file); }
static size_t pass(unsigned flags, size_t n, const unsigned* values, size_t bytes, size_t* size, void** buffer) {
  (void)flags; (void)n; (void)values; (void)size; (void)buffer; return bytes; }
static const Filter filter = {1, 31234, 1, 1, "mark", NULL, NULL, pass};
int H5PLget_plugin_type(void) { return 0; }
const void* H5PLget_plugin_info(void) { return &filter; }
"""


def test_plugins_are_not_loaded(binary_for_all, folder):
    marker, plugins = folder / "marker", folder / "plugins"
    plugins.mkdir()
    (folder / "plugin.c").write_text(PLUGIN)
    subprocess.run(["gcc", "-shared", "-fPIC", f'-DMARKER="{marker}"', folder / "plugin.c", "-o", plugins / "libmark.so"], check=True)
    path = base("modern", folder)
    with h5py.File(path, "r+") as root:
        unknown_filter("X/data", 31234)(root)
    environment = {**os.environ, "HDF5_PLUGIN_PATH": str(plugins), "HDF5_PLUGIN_PRELOAD": ""}
    for verb, outcome in [("qc", "unknown-filter"), ("info", "ok")]:
        judge(run(binary_for_all, [*command_of(verb, path, folder / "out"), "--force"], folder / "out", env=environment), verb, path, outcome,
              "31234" if verb == "qc" else "")
    assert not marker.exists()
    # The same plugin runs where plugins are on, so its absence above means something.
    reader = f"import h5py; print(h5py.File({str(path)!r})['X/data'][0])"
    subprocess.run([sys.executable, "-c", reader], env=environment, check=True, capture_output=True)
    assert marker.exists()
