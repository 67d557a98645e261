"""Words that the verbs which write an h5ad refuse."""
import pytest

from support.program import run

NORMALIZE = [(["--target-sum", "1e4x"], "bad-number"), (["--target-sum", "much"], "bad-number"), (["--target-sum", "inf"], "bad-number"),
             (["--target-sum", "0"], "bad-number"), (["--cpm", "--target-sum", "1e4"], "two-choices"), (["--no-log1p", "--base", "2"], "two-choices"),
             (["--base", "1"], "bad-number"), (["--base", "-2"], "bad-number"), (["--base", "inf"], "bad-number"),
             (["--exclude-highly-expressed", "--max-fraction", "1"], "bad-number"), (["--exclude-highly-expressed", "--max-fraction", "0"], "bad-number"),
             (["--key-added", "a/b"], "bad-value"), (["--counts-layer", "a/b"], "bad-value"), (["--key-added", "_index"], "bad-value"),
             (["--verify", "2"], "bad-number"), (["--verify", "-1"], "bad-number"), (["--layer", "raw"], "raw-genes")]


@pytest.mark.parametrize("words, code", NORMALIZE, ids=lambda part: " ".join(part) if isinstance(part, list) else part)
def test_normalize(quern_bin, fixtures_dir, tmp_path, words, code):
    done = run(quern_bin, "normalize", fixtures_dir / "generation-0.7.h5ad", *words, "-o", tmp_path / "a.h5ad", expect=2)
    assert f"[{code}]" in done.stderr and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["normalize", "convert"])
def test_without_a_name(quern_bin, fixtures_dir, verb):
    assert "[missing-option]" in run(quern_bin, verb, fixtures_dir / "generation-0.7.h5ad", expect=2).stderr
