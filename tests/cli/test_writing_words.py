"""Words that the verbs which write an h5ad refuse."""
import shutil

import h5py
import pytest

from support.program import run

NORMALIZE = [(["--target-sum", "1e4x"], "bad-number"), (["--target-sum", "much"], "bad-number"), (["--target-sum", "inf"], "bad-number"),
             (["--target-sum", "0"], "bad-number"), (["--cpm", "--target-sum", "1e4"], "two-choices"), (["--no-log1p", "--base", "2"], "two-choices"),
             (["--base", "1"], "bad-number"), (["--base", "-2"], "bad-number"), (["--base", "inf"], "bad-number"),
             (["--exclude-highly-expressed", "--max-fraction", "1"], "bad-number"), (["--exclude-highly-expressed", "--max-fraction", "0"], "bad-number"),
             (["--key-added", "a/b"], "bad-value"), (["--counts-layer", "a/b"], "bad-value"), (["--key-added", "_index"], "bad-value"),
             (["--verify", "2"], "bad-number"), (["--verify", "-1"], "bad-number")]


@pytest.mark.parametrize("words, code", NORMALIZE, ids=lambda part: " ".join(part) if isinstance(part, list) else part)
def test_normalize(quern_bin, fixtures_dir, tmp_path, words, code):
    done = run(quern_bin, "normalize", fixtures_dir / "generation-0.7.h5ad", *words, "-o", tmp_path / "a.h5ad", expect=2)
    assert f"[{code}]" in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["normalize", "convert", "filter --min-genes 1"])
def test_without_a_name(quern_bin, fixtures_dir, words):
    verb, *more = words.split()
    done = run(quern_bin, verb, fixtures_dir / "generation-0.7.h5ad", *more, expect=2)
    assert "[missing-option]" in done.stderr and "there is nowhere to write to" in done.stderr


FILTER = [("mt", "names no set of genes"), ("=5", "names no set of genes"), ("mt=", "'' is no number"), ("mt=5x", "'5x' is no number"), ("mt=-1", "'-1' is no number"),
          ("mt=101", "'101' is no number"), ("mt=nan", "'nan' is no number"), ("hb=5", "no set of genes is called hb")]


@pytest.mark.parametrize("word, says", FILTER)
def test_max_pct(quern_bin, fixtures_dir, tmp_path, word, says):
    done = run(quern_bin, "filter", fixtures_dir / "generation-0.7.h5ad", "--max-pct", word, "-o", tmp_path / "a.h5ad", expect=2)
    assert "[bad-max-pct]" in done.stderr and says in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a.h5", "folder"])
def test_other_formats_need_a_matrix(quern_bin, fixtures_dir, tmp_path, name):
    path = tmp_path / "input.h5ad"
    shutil.copy(fixtures_dir / "modern.h5ad", path)
    with h5py.File(path, "r+") as root:
        del root["X"]
    out = tmp_path / "out"
    out.mkdir()
    done = run(quern_bin, "convert", path, "-o", out / name, expect=3)
    assert "[no-such-matrix]" in done.stderr and list(out.iterdir()) == []


def test_folders_are_gzip(quern_bin, fixtures_dir, tmp_path):
    for how in ("gzip:4,shuffle", "zstd"):
        done = run(quern_bin, "convert", fixtures_dir / "modern.h5ad", "-o", tmp_path / "folder", "--compression", how, expect=2)
        assert "[bad-compression]" in done.stderr and list(tmp_path.iterdir()) == []
