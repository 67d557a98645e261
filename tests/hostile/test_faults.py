"""Every call of HDF5, zlib and the system fails in turn: the run says so, or gives the same answer; never a crash, never another answer."""
import json
import re
from pathlib import Path

import h5py
import numpy as np
import pytest

from hostile import faults
from hostile.bases import N_OBS, N_VARS, NNZ, TRUTH, base, cell_names, gene_names, h5, h5ad, link, random_truth, replace
from hostile.bombs import one_chunk
from hostile.cases_text import directory
from hostile.table import run
from hostile.test_outside import WAYS


def _with_links(folder):
    return h5("modern", link("uns/away", h5py.ExternalLink("other.h5", "/X")), link("uns/soft", h5py.SoftLink("/X")))(folder)


def _csc(folder):
    return h5("csc", lambda root: [replace(f"X/{name}", root[f"X/{name}"][...], filters="gzip", chunk=16)(root) for name in ("data", "indices")])(folder)


def _half_precision(folder):
    return h5("modern", lambda root: replace("X/data", root["X/data"][...].astype("f2"), filters="zstd")(root),
              lambda root: replace("X/indices", root["X/indices"][...], filters="zstd")(root),
              lambda root: replace("obs/number", root["obs/number"][...], filters="zstd")(root))(folder)


def _booleans(folder):
    return h5("modern", lambda root: replace("X/data", np.ones(NNZ, bool))(root))(folder)


def _arrays_in_a_table(folder):
    table = np.zeros(N_OBS, dtype=[("X_pca", "f4", (3,)), ("X_umap", "f8", (2,))])
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
        root["uns/table"] = np.array([(1, "x"), (2, "y")], dtype=[("n", "i4"), ("t", h5py.string_dtype())])
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


WRITTEN = ["-o", "OUT/out.h5ad", "--percent-top", "none"]
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
    "giant": ("qc", lambda folder: one_chunk(folder, N_OBS, N_VARS, False, 1 << 18), [*TABLES, "-m", "64MiB"]),
    "stdout": ("qc", _large, ["--cells-out", "-", "--percent-top", "none"]),
    "checked": ("check", lambda folder: base("modern", folder), ["--deep"]),
    "checked-0.6": ("check", lambda folder: base("0.6", folder), ["--deep"]),
    "obsm": ("show", _arrays_in_a_table, ["obsm/X_pca", "-o", "OUT/shown.tsv"]),
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
for how in (["--layout", "legacy"], ["--layout", "10x-v3"], ["--compression", "zstd"]):
    SCENARIOS[f"generated-{how[1]}"] = ("generate", lambda folder: folder / "out" / "made.h5ad", ["--preset", "pbmc3k", "--cells", "20", *how])

ABSENT = {"no-renameat2": "renameat2", "no-nameless-files": "O_TMPFILE"}  # of a scenario: what the system does not have
SCENARIOS["no-renameat2"] = SCENARIOS["gzip"]
SCENARIOS["no-nameless-files"] = SCENARIOS["stdout"]

# What the error says when a function fails and the answer is not the same without it.
SAYS = {
    "H5Acreate2": "create", "H5Aexists": "look for it", "H5Aget_space": "attribute's shape", "H5Aget_type": "attribute's type",
    "H5Aiterate2": "list the attributes", "H5Aopen": "open the attribute", "H5Aread": "read the attribute", "H5Awrite": "write the attribute",
    "H5Dcreate2": "create", "H5Dget_create_plist": "layout|creation properties", "H5Dget_space": "shape|dataspace|get its space",
    "H5Dget_type": "the dataset's type|read the type", "H5Dopen2": "open the dataset|is not there", "H5Dread": "read", "H5Dread_chunk": "stored chunk",
    "H5Dwrite": "write", "H5Dwrite_chunk": "write", "H5Fclose": "close", "H5Fcreate": "create", "H5Fflush": "write the file out",
    "H5Fget_create_plist": "creation properties of the file", "H5Fopen": "open the file", "H5Gclose": "close", "H5Gcreate2": "create", "H5Gopen2": "open the top group",
    "H5Lexists": "look for it", "H5Literate": "list the group", "H5Oopen": "open the object|open the group|follow", "H5Pcreate": "prepare|create it",
    "H5PLset_loading_state": "turn plugins off", "H5Pget_userblock": "user block", "H5Pset_fapl_core": "set file|keep it in memory", "H5Tdetect_class": "look at the type", "H5Pset_chunk": "set its chunk", "H5Pset_deflate": "set the",
    "H5Pset_elink_cb": "refuse external links", "H5Pset_filter": "set the", "H5Pset_obj_track_times": "set (file|group|dataset)",
    "H5Pset_shuffle": "set the shuffle", "H5Screate": "make", "H5Screate_simple": "make|select rows", "H5Sselect_hyperslab": "select",
    "H5Tarray_create2": "array type", "H5Tcopy": "copy|make", "H5Tcreate": "make", "H5Tenum_create": "make it", "H5Tenum_insert": "add ",
    "H5Tget_member_type": "field", "H5Tinsert": "add a field|read", "H5Tset_cset": "character set", "H5Tset_size": "size it",
    "H5Tset_strpad": "pad it", "fsync": "could not (bring the data to disk|sync)", "gzopen": "cannot be opened|neither", "mmap": "refused",
}
MUST_FAIL = {"H5PLset_loading_state", "H5Pset_elink_cb", "fsync", "rename", "renameat2", "H5Fflush"}  # even if nothing seems to be wrong


def words_of(scenario, folder):
    verb, make, words = SCENARIOS[scenario]
    path = make(folder)
    return [verb, path, *(word.replace("OUT", str(folder / "out")) for word in words), "--json", folder / "out" / "report.json"]


def answer_of(done):
    """What must not change: of standard output a table, not the summary, which tells times."""
    report = json.loads(done.left.pop("report.json"))
    return report["result"], report["digest"], done.left, done.stdout if done.stdout.startswith("cell\t") else ""


@pytest.fixture(scope="session")
def quern_bin(quern_bin):
    """The one whose HDF5 is a shared library, which another library can stand before."""
    shared = Path(quern_bin).parent / "shared" / "quern"
    return str(shared) if shared.is_file() else quern_bin


@pytest.fixture(scope="session")
def library(quern_bin, tmp_path_factory):
    return faults.Faults(faults.build(tmp_path_factory.mktemp("faults")))


@pytest.fixture(scope="session")
def calls(quern_bin, library, tmp_path_factory):
    """({function: [(scenario, site)]}, {scenario: (folder, words, answer without a fault)}); each site once."""
    sites, normal, met = {}, {}, set()
    for scenario in SCENARIOS:
        folder = tmp_path_factory.mktemp("scenario")
        log = folder / "calls"
        words = words_of(scenario, folder)
        if "--force" in words:
            run(quern_bin, words, folder / "out")
        done = run(quern_bin, words, folder / "out", env=library.log(log, ABSENT.get(scenario, "")))
        assert done.status == 0, done.stderr
        normal[scenario] = (folder, words, answer_of(done))
        for site in dict.fromkeys(log.read_text(encoding="ascii").split()):
            if site not in met:
                met.add(site)
                sites.setdefault(site.split("@")[0], []).append((scenario, site))
    return sites, normal


def run_with(quern_bin, calls, scenario, environment):
    folder, words, answer = calls[1][scenario]
    for path in (folder / "out").iterdir():
        if "--force" not in words:
            path.unlink()
    return run(quern_bin, words, folder / "out", env=environment), answer


def complaint(done, answer, verb, function):
    """What is wrong with a run in which one call failed; None when nothing is."""
    if done.status == 0:
        same = verb == "info" or answer_of(done) == answer  # info --tree shows what it can
        return None if same and function not in MUST_FAIL else f"exit 0 {'' if same else 'with another answer'}: {done.stderr}"
    lines = [text for text in done.stderr.splitlines() if not text.startswith(f"quern {verb}: warning")]
    n_errors = sum(text.startswith("quern ") for text in lines)  # the report may fail as well
    if done.status not in (3, 4, 5) or not re.search(r" \[[a-z0-9-]+\]$", lines[0]) or len(lines) > 3 * n_errors or n_errors > 2:
        return f"exit {done.status}: {done.stderr}"
    if "crashes" in lines[0] or not re.search(SAYS.get(function, ""), lines[0]):
        return f"unclear: {lines[0]}"
    parts = [name for name in done.left if name.endswith(".part")]
    return f"left behind: {parts}" if parts else None


@pytest.mark.parametrize("function", faults.FUNCTIONS)
def test_call_fails(quern_bin, library, calls, function):
    complaints = []
    assert function in calls[0], "no scenario calls it"
    for scenario, site in calls[0][function]:
        done, answer = run_with(quern_bin, calls, scenario, library.fail(site, ABSENT.get(scenario, "")))
        wrong = complaint(done, answer, SCENARIOS[scenario][0], function)
        if wrong:
            complaints.append(f"{scenario}: {site}: {wrong}")
    assert complaints == []


@pytest.mark.parametrize("refer, write, says, names", WAYS)
def test_refusal_of_what_lies_outside_survives_faults(quern_bin, library, calls, tmp_path, refer, write, says, names):
    outside = tmp_path / "elsewhere" / "outside"
    outside.parent.mkdir()
    write(outside)
    path = base("modern", tmp_path)
    refer(path, outside)
    for function in ("H5Pset_elink_cb", "H5Dget_create_plist", "H5Pget_layout", "H5Pget_external_count"):
        for _, site in calls[0][function]:
            done = run(quern_bin, ["qc", path], tmp_path / "out", env=library.fail(site))
            assert done.status == 3, f"{site}: {says} of {names} was followed"


@pytest.mark.parametrize("function", ["read", "write", "pread", "pwrite"])
def test_interrupted_calls_are_repeated(quern_bin, library, calls, function):
    for scenario, site in calls[0][function]:
        done, answer = run_with(quern_bin, calls, scenario, library.interrupt(site))
        assert done.status == 0 and answer_of(done) == answer, (scenario, site, done.stderr)


def test_every_call_of_hdf5_is_listed(quern_bin):
    assert set(faults.hdf5_calls(quern_bin)) - faults.HDF5_LEFT_OUT == {name for name in faults.FUNCTIONS if name.startswith("H5")}
