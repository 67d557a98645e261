"""What the verbs that write an h5ad make of odd ones: they refuse them by name or write what can be read, never anything between.

QUERN_FUZZ_FILES=N tries N copies of each good file instead of a few (QUERN_FUZZ_FIRST: from which number on).
"""
import concurrent.futures
import json
import os
import subprocess
from pathlib import Path

import h5py
import pytest

from fuzz.damage import REPORTS
from fuzz.mutate_h5ad import mutated
from fuzz.test_damaged_files import ENVIRONMENT
from support import plain_h5ad

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("QUERN_ASAN_BIN", ROOT / "build" / "asan-ubsan" / "quern"))
GOOD = ["modern.h5ad", "generation-0.7.h5ad", "generation-0.6-late.h5ad", "generation-0.6.h5ad", "mixture.h5ad", "nullable-index.h5ad"]
N_FILES = int(os.environ.get("QUERN_FUZZ_FILES", "8"))
FIRST = int(os.environ.get("QUERN_FUZZ_FIRST", "0"))
VERBS = [["convert"], ["filter", "--min-genes", "1", "--min-cells", "2"], ["qc", "--percent-top", "none"], ["normalize", "--counts-layer", "counts"],
         ["filter", "--max-genes", "40"], ["convert", "--dtype", "float64", "--chunk", "50"]]
TIME_LIMIT_SECONDS = 60


def verdict(done, out):
    """What is wrong with how a run ended; empty when nothing is."""
    if any(mark in done.stderr for mark in REPORTS):
        return "sanitizer report"
    if done.returncode not in (0, 2, 3, 5):
        return f"exit {done.returncode}"
    if done.returncode == 0:
        return "" if out.is_file() and len(list(out.parent.iterdir())) == 1 else "no output, or more than that"
    error = json.loads(done.stdout).get("error", {})
    if list(out.parent.iterdir()):
        return "something is left behind"
    if done.returncode == 2 and error.get("code") not in ("nothing-left", "no-such-matrix"):
        return f"a word is blamed: {error}"
    return "" if error.get("text") else "refused without a word"


def one(good, number, folder):
    """Messages about one odd file."""
    folder = folder / f"{good.stem}-{number}"
    (folder / "out").mkdir(parents=True)
    path, out = mutated(good, folder / "odd.h5ad", f"{good.name} {number}"), folder / "out" / "made.h5ad"
    words = VERBS[number % len(VERBS)]
    command = [str(BINARY), words[0], str(path), *words[1:], "-o", str(out), "--json", "-", "-q", "-t", "2", "--chunk-nnz", "300"]
    where = f"{good.name} {number}: {' '.join(words)}"
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIME_LIMIT_SECONDS, check=False,
                              env={**os.environ, **ENVIRONMENT})
    except subprocess.TimeoutExpired:
        return [f"{where}: still running after {TIME_LIMIT_SECONDS} s"]
    if found := verdict(done, out):
        return [f"{where}: {found}: {done.stderr.strip()[-500:]}"]
    return [f"{where}: {found}" for found in unreadable(path, out)] if done.returncode == 0 else []


def unreadable(path, out):
    """What anndata read before it has to read afterwards."""
    before = plain_h5ad.read_all([path])[str(path)]
    if isinstance(before, str):
        return []
    after = plain_h5ad.read_all([out])[str(out)]
    return [after[:500]] if isinstance(after, str) else []


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", GOOD)
def test_odd_files(name, fixtures_dir, tmp_path):
    assert BINARY.is_file(), f"{BINARY} is not built: cmake --preset asan-ubsan && cmake --build --preset asan-ubsan"
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        jobs = [pool.submit(one, fixtures_dir / name, number, tmp_path) for number in range(FIRST, FIRST + N_FILES)]
        found = [message for job in jobs for message in job.result()]
    assert not found, f"{len(found)} findings; the first:\n" + "\n".join(found[:8])


def test_copies_are_odd_and_the_same_for_the_same_seed(fixtures_dir, tmp_path):
    def layout(path):
        found = []
        with h5py.File(path) as root:
            root.visititems(lambda name, item: found.append((name, sorted(item.attrs), getattr(item, "shape", 0), str(getattr(item, "dtype", "")))))
        return found

    good = fixtures_dir / "modern.h5ad"
    twice = [[layout(mutated(good, tmp_path / "odd.h5ad", seed)) for seed in range(12)] for _ in range(2)]
    assert twice[0] == twice[1]
    assert sum(one != layout(good) for one in twice[0]) > 7


@pytest.mark.parametrize("made, status, json_text, expected", [
    ([], 0, "{}", "no output"), (["made.h5ad"], 0, "{}", ""), (["made.h5ad", "x.part"], 0, "{}", "no output, or more"),
    ([], 3, '{"error": {"code": "bad-type", "text": "is odd"}}', ""), (["x.part"], 3, '{"error": {"code": "a", "text": "b"}}', "left behind"),
    ([], 1, "{}", "exit 1"), ([], -11, "{}", "exit -11"), ([], 2, '{"error": {"code": "bad-number", "text": "b"}}', "a word is blamed"),
    ([], 3, "{}", "without a word")])
def test_the_loop_can_fail(made, status, json_text, expected, tmp_path):
    for name in made:
        (tmp_path / name).touch()
    found = verdict(subprocess.CompletedProcess([], status, json_text, "words"), tmp_path / "made.h5ad")
    assert bool(found) == bool(expected) and expected in found
