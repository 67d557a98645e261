"""`quern info`: what it says of objects, of text and of files that lack names."""
import itertools
import shutil

import h5py
import pytest

from support.program import run


def info(binary, *words):
    return run(binary, "info", *words).stdout


def test_objects_of_a_directory(quern_bin, fixtures_dir):
    for path in (fixtures_dir / "mtx-new", fixtures_dir / "mtx-new" / "matrix.mtx.gz"):
        assert "[missing-object]" in run(quern_bin, "info", path, "obs", expect=3).stderr
        assert info(quern_bin, path, "/")


@pytest.mark.parametrize("name, words", [("mtx-old", "text"), ("mtx-new", "text gzip")])
def test_text_is_called_so(quern_bin, fixtures_dir, name, words):
    (line,) = [line for line in info(quern_bin, fixtures_dir / name).splitlines() if line.startswith("  X ")]
    assert f"  {words}  " in line and "contiguous" not in line


@pytest.mark.parametrize("entries, share", [(4, "100 %"), (2, "50 %"), (0, "0 %")])
def test_shares_are_plain_numbers(quern_bin, tmp_path, entries, share):
    lines = [f"{1 + at % 2} {1 + at // 2} 1\n" for at in range(entries)]
    (tmp_path / "matrix.mtx").write_text(f"%%MatrixMarket matrix coordinate integer general\n2 2 {entries}\n" + "".join(lines))
    assert f"{entries} stored ({share})" in info(quern_bin, tmp_path)


def test_fields_of_old_tables(quern_bin, fixtures_dir):
    with h5py.File(fixtures_dir / "generation-0.6.h5ad") as root:
        fields = list(root["obs"].dtype.names)
    lines = info(quern_bin, fixtures_dir / "generation-0.6.h5ad", "obs").splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("  @")] == fields
    root_lines = [line.split()[0] for line in info(quern_bin, fixtures_dir / "generation-0.6.h5ad", "/").splitlines()]
    assert "obs" in root_lines and not set(fields) & set(root_lines)


def test_names_that_are_missing(quern_bin, fixtures_dir, tmp_path):
    path = tmp_path / "nameless.h5"
    path.write_bytes((fixtures_dir / "tenx-v3.h5").read_bytes())
    with h5py.File(path, "r+") as root:
        del root["matrix/barcodes"], root["matrix/features/name"], root["matrix/features/id"]
    folder = tmp_path / "mtx"
    folder.mkdir()
    shutil.copy(fixtures_dir / "mtx-old" / "matrix.mtx", folder)
    for verb, file in itertools.product(("info", "qc", "check"), (path, folder)):
        done = run(quern_bin, verb, file)
        assert (done.stdout + done.stderr).count("no-usable-names") == 2
