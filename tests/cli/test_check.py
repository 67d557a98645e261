"""`quern check`: silent about what is right, one line for each thing that is not."""
import json
import shutil

import h5py
import numpy as np
import pytest

from support.program import run


def findings(binary, *words, expect=0):
    """{(object, severity, code)} of a run over one input, which must also be on standard output, one a line."""
    done = run(binary, "check", *words, "--json", "-", expect=expect)
    lines = run(binary, "check", *words, expect=expect).stdout.splitlines()
    result = json.loads(done.stdout)["result"]
    assert result["ok"] == (expect == 0)
    (only,) = result["inputs"]
    assert only["ok"] == result["ok"]
    assert len(lines) == len(only["findings"]) + 1
    for line, finding in zip(lines, only["findings"]):
        assert line == f"{only['path']}: {finding['object']}: {finding['severity']}: {finding['code']}: {finding['text']}"
    for severity in ("error", "warning", "note"):
        assert only[severity + "s"] == sum(finding["severity"] == severity for finding in only["findings"])
    return {(finding["object"], finding["severity"], finding["code"]) for finding in only["findings"]}


def all_fixtures(folder):
    cases = json.loads((folder / "manifest.json").read_text())["cases"]
    return sorted({str(folder / case["path"]) for case in cases})


@pytest.mark.parametrize("words", [[], ["--deep"], ["--deep", "-m", "3MiB"]], ids=["plain", "deep", "little-memory"])
def test_every_fixture_is_right(quern_bin, fixtures_dir, words):
    files = [file for file in all_fixtures(fixtures_dir) if not words[1:] or "chunks-giant-" not in file]  # those decode only as a whole
    result = json.loads(run(quern_bin, "check", *files, *words, "--json", "-").stdout)["result"]
    assert [entry["path"] for entry in result["inputs"]] == files
    assert all(entry["errors"] == 0 for entry in result["inputs"])
    assert {finding["code"] for entry in result["inputs"] for finding in entry["findings"] if finding["severity"] == "warning"} <= {
        "unknown-keys", "no-usable-names", "ignored-column", "broken-link"}


NOTES = [
    ("csr-shuffled.h5ad", {("/X", "note", "unsorted-indices")}),
    ("csc-descending.h5ad", {("/X", "note", "unsorted-indices")}),
    ("duplicates-csr-sorted.h5ad", {("/X", "note", "repeated-entries")}),
    ("duplicates-csc-shuffled.h5ad", {("/X", "note", "repeated-entries"), ("/X", "note", "unsorted-indices")}),
    ("explicit-zeros-csr.h5ad", {("/X", "note", "explicit-zeros")}),
    ("special-nan.h5ad", {("/X", "note", "has-nan")}),
    ("special-inf-dense.h5ad", {("/X", "note", "has-infinity")}),
    ("negative-whole.h5ad", {("/X", "note", "has-negative")}),
    ("modern.h5ad", {("/X", "note", "counts-as-floats"), ("/raw/X", "note", "counts-as-floats")}),
    ("value-i4.h5ad", set()),
    ("fractions-f8.h5ad", set()),
    ("mtx-new", set()),
    ("tenx-v2-genomes.h5", set()),
]


@pytest.mark.parametrize("file,expected", NOTES, ids=[row[0] for row in NOTES])
def test_notes(quern_bin, fixtures_dir, file, expected):
    found = findings(quern_bin, fixtures_dir / file, "--deep")
    codes = {code for _, _, code in expected}
    assert expected <= found
    told = {"repeated-entries", "has-nan", "has-infinity"}
    assert {code for _, _, code in found} & told == codes & told
    assert not {code for _, _, code in findings(quern_bin, fixtures_dir / file)} & told


def edited(folder, source, edit):
    path = folder / source.name
    shutil.copyfile(source, path)
    with h5py.File(path, "r+") as root:
        edit(root)
    return path


def replace(root, name, values, **options):
    attributes = dict(root[name].attrs) if name in root else {}
    if name in root:
        del root[name]
    made = root.create_dataset(name, data=values, **options)
    for key, value in attributes.items():
        made.attrs[key] = value


def tagged(root, name, kind, version):
    group = root.create_group(name)
    group.attrs["encoding-type"], group.attrs["encoding-version"] = kind, version
    return group


def put(name, place, value):
    def edit(root):
        root[name][place] = value

    return edit


# What is done to modern.h5ad, what is found without --deep, what with it.
DAMAGE = [
    ("indptr decreases", lambda root: put("X/indptr", 5, 10**6)(root), {("/X/indptr", "error", "bad-indptr")}, None),
    ("index beyond", put("X/indices", 7, 64), set(), {("/X/indices", "error", "bad-index")}),
    ("negative index", put("X/indices", 7, -1), set(), {("/X/indices", "error", "bad-index")}),
    ("entries of no row", lambda root: [replace(root, f"X/{name}", np.append(root[f"X/{name}"][()], [1, 2]).astype(root[f"X/{name}"].dtype))
                                        for name in ("data", "indices")], {("/X/indptr", "error", "bad-indptr")}, None),
    ("codes beyond", put("obs/label/codes", 3, 9), set(), {("/obs/label/codes", "error", "bad-categories")}),
    ("codes below missing", put("obs/label/codes", 3, -2), set(), {("/obs/label/codes", "error", "bad-categories")}),
    ("columns not listed", lambda root: root["obs"].attrs.__delitem__("column-order"), {("/obs", "error", "missing-attribute")}, None),
    ("columns not listed in obsm", lambda root: [root.copy("obs", "obsm/table"), root["obsm/table"].attrs.__delitem__("column-order")],
     {("/obsm/table", "error", "missing-attribute")}, None),
    ("X is a link to nowhere", lambda root: [root.__delitem__("X"), root.__setitem__("X", h5py.SoftLink("/nothing"))],
     {("/X", "error", "broken-link")}, None),
    ("column is short", lambda root: replace(root, "obs/number", np.zeros(36, "f4")), {("/obs/number", "error", "bad-shape")}, None),
    ("obsm of other cells", lambda root: root["obsm"].create_dataset("X_pca", data=np.zeros((36, 2))), {("/obsm/X_pca", "error", "bad-shape")}, None),
    ("obsp not square", lambda root: root["obsp"].create_dataset("d", data=np.zeros((37, 36))), {("/obsp/d", "error", "bad-shape")}, None),
    ("unknown kind in uns", lambda root: tagged(root, "uns/new", "hologram", "0.1.0"), {("/uns/new", "error", "unknown-encoding")}, None),
    ("unknown version in uns", lambda root: tagged(root, "uns/a/b", "dict", "9.0.0"), {("/uns/a/b", "error", "unknown-encoding")}, None),
    ("link to nowhere", lambda root: root["uns"].__setitem__("x", h5py.SoftLink("/nothing")), {("/uns/x", "warning", "broken-link")}, None),
    ("link to elsewhere", lambda root: root["uns"].__setitem__("x", h5py.ExternalLink("other.h5", "/x")), {("/uns/x", "warning", "not-followed")}, None),
    ("odd values in uns", lambda root: root["uns"].create_dataset("x", data=np.void(b"abc")), {("/uns/x", "warning", "not-read")}, None),
    ("matrix in uns", lambda root: [root.copy("X", "uns/copy"), put("uns/copy/indices", 7, 64)(root)], set(), {("/uns/copy/indices", "error", "bad-index")}),
    ("names twice", put("var/_index", 1, "MT-ND1"), set(), {("/var", "note", "duplicate-names")}),
    ("no name", put("var/_index", 1, ""), set(), {("/var", "note", "empty-names")}),
    ("raw of other cells", lambda root: root["raw/X"].attrs.__setitem__("shape", [36, 90]), {("/raw/X/indptr", "error", "bad-shape")}, None),
    ("stray key", lambda root: root.create_group("stray"), {("/", "warning", "unknown-keys")}, None),
]


@pytest.mark.parametrize("edit,plain,deep", [row[1:] for row in DAMAGE], ids=[row[0] for row in DAMAGE])
def test_damage(quern_bin, fixtures_dir, tmp_path, edit, plain, deep):
    path = edited(tmp_path, fixtures_dir / "modern.h5ad", edit)

    def bad(found):
        return 3 if any(severity == "error" for _, severity, _ in found) else 0

    assert findings(quern_bin, path, expect=bad(plain)) == plain
    deep = plain if deep is None else deep
    assert deep <= findings(quern_bin, path, "--deep", expect=bad(deep))


def test_checksums(quern_bin, fixtures_dir, tmp_path):
    path = tmp_path / "flipped.h5ad"
    shutil.copyfile(fixtures_dir / "filter-fletcher32.h5ad", path)
    with h5py.File(path, "r+") as root:
        data = root["X/data"]
        mask, stored = data.id.read_direct_chunk((0,))
        data.id.write_direct_chunk((0,), bytes([stored[0] ^ 1]) + stored[1:], filter_mask=mask)
    assert findings(quern_bin, path) == set()
    assert ("/X/data", "error", "bad-checksum") in findings(quern_bin, path, "--deep", expect=3)


def test_all_inputs_are_checked(quern_bin, fixtures_dir, tmp_path):
    good, odd = fixtures_dir / "modern.h5ad", tmp_path / "none.h5ad"
    text = tmp_path / "text.h5ad"
    text.write_text("no such thing")
    done = run(quern_bin, "check", odd, good, text, fixtures_dir / "mtx-old", expect=3)
    lines = done.stdout.splitlines()
    assert [line.split(": ")[:4] for line in lines if ": error: " in line] == [[str(odd), "/", "error", "not-found"], [str(text), "/", "error", "not-hdf5"]]
    assert lines[-1] == "2 of 4 inputs have errors"
    assert sum("no errors" in line for line in lines) == 2
    first = done.stderr.splitlines()[0]
    assert first.startswith(f"quern check: {odd}: ") and first.endswith("[not-found]")
    result = json.loads(run(quern_bin, "check", odd, good, "--json", "-", expect=3).stdout)
    assert [entry["ok"] for entry in result["result"]["inputs"]] == [False, True]
    assert result["error"]["code"] == "not-found" and result["error"]["path"] == str(odd)


def test_entries_twice_in_text(quern_bin, tmp_path):
    (tmp_path / "matrix.mtx").write_text("%%MatrixMarket matrix coordinate integer general\n3 2 4\n1 1 5\n2 2 1\n1 1 2\n1 2 0\n")
    found = findings(quern_bin, tmp_path, "--deep")
    assert ("/X", "note", "repeated-entries") in found and ("/X", "note", "explicit-zeros") in found


def test_quiet_leaves_out_notes(quern_bin, fixtures_dir, tmp_path):
    assert run(quern_bin, "check", fixtures_dir / "csr-shuffled.h5ad", "--deep", "-q").stdout == ""
    path = edited(tmp_path, fixtures_dir / "modern.h5ad", put("X/indices", 7, 64))
    assert run(quern_bin, "check", path, "--deep", "-q", expect=3).stdout.count("\n") == 1


def test_too_little_memory_is_no_fault_of_the_file(quern_bin, fixtures_dir):
    done = run(quern_bin, "check", fixtures_dir / "chunks-giant-lzf.h5ad", "--deep", "-m", "300KiB", expect=5)
    assert "[chunk-too-large]" in done.stderr or "[over-budget]" in done.stderr


def test_an_input_is_never_written_over(quern_bin, fixtures_dir, tmp_path):
    path = tmp_path / "modern.h5ad"
    shutil.copyfile(fixtures_dir / "modern.h5ad", path)
    before = path.read_bytes()
    done = run(quern_bin, "check", fixtures_dir / "mtx-old", path, "--json", path, "--force", expect=4)
    assert "[same-file]" in done.stderr and path.read_bytes() == before


def test_words(quern_bin):
    assert "[missing-word]" in run(quern_bin, "check", expect=2).stderr
    assert "[stdin-input]" in run(quern_bin, "check", "-", expect=2).stderr
    text = run(quern_bin, "check", "--help").stdout
    assert text.splitlines()[2].startswith("  quern check ") and "--deep" in text and "INPUT..." in text
