"""`normalize` on every fixture and every shared real file against values worked out in 64-bit floats, and against the answers kept."""
import hashlib
import json
import math
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp

from support.program import run
from support.written_csr import written_csr

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
MANIFEST = FIXTURES / "manifest.json"
CASES = [case for case in (json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else [])
         if case["path"].endswith(".h5ad") and "raw" not in case["arguments"]]
DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
ANSWERS = {path.name[:-len(".json")]: json.loads(path.read_text()) for path in sorted((DATA / "expected").glob("*.h5ad.json"))}
MATRICES = [(name, matrix) for name, answer in ANSWERS.items() for matrix, numbers in answer["numbers"].items()
            if "skipped" not in numbers and matrix != "raw"]
TARGETS = {"cpm": ["--cpm"], "cp10k": ["--target-sum", "1e4"], "median": []}


def test_there_are_cases():
    assert len(CASES) > 100


def ulps(a, b):
    """Distance of two float32 arrays of the same signs in units in the last place; NaN equals NaN."""
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0, np.abs(a.view(np.int32).astype(np.int64) - b.view(np.int32)))


def exact_sum(values):
    return math.fsum(values) if np.isfinite(values).all() else values.sum()


def expected_values(matrix, target):
    """Normalised values of a canonical float64 CSR matrix; the target used."""
    with np.errstate(all="ignore"):
        totals = np.array([exact_sum(matrix.data[a:b]) for a, b in zip(matrix.indptr, matrix.indptr[1:])], dtype=float)
        if target is None:
            target = np.median(totals[totals > 0]) if (totals > 0).any() else np.nan
        factors = totals / target
        divisors = np.repeat(np.where(factors == 0, 1, factors), np.diff(matrix.indptr))
        return np.log1p(matrix.data / divisors), target


@pytest.mark.parametrize("how", TARGETS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fixture(case, how, quern_bin, tmp_path):
    truth = np.load(FIXTURES / case["truth"])
    shape = (case["n_obs"], case["n_vars"])
    matrix = sp.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=shape)
    matrix.sum_duplicates()
    out = tmp_path / "out.h5ad"
    report = json.loads(run(quern_bin, "normalize", FIXTURES / case["path"], *case["arguments"], "-o", out, "--json", "-", *TARGETS[how]).stdout)
    ours = written_csr(out)
    assert ours.shape == shape
    values, target = expected_values(matrix, {"cpm": 1e6, "cp10k": 1e4}.get(how))
    whole = np.array_equal(np.rint(truth["values"]), truth["values"])
    assert report["result"]["target_sum"] == (pytest.approx(target, rel=0 if whole else 1e-12) if np.isfinite(target) else None)
    theirs = sp.csr_matrix((values, matrix.indices, matrix.indptr), shape=shape)
    kept = ours.data != 0  # stored zeros may or may not be in the truth
    places = [np.repeat(np.arange(shape[0]), np.diff(m.indptr))[keep] * max(shape[1], 1) + m.indices[keep]
              for m, keep in ((ours, kept), (theirs, theirs.data != 0))]
    np.testing.assert_array_equal(*places)
    a, b = ours.data[kept], theirs.data[theirs.data != 0]
    if ours.dtype == np.float64:
        np.testing.assert_allclose(a, b, rtol=1e-12)
    else:
        assert ours.dtype == np.float32
        assert ulps(a, b.astype(np.float32)).max(initial=0) <= 2


@pytest.mark.skipif(not ANSWERS, reason=f"no shared data in {DATA}")
@pytest.mark.parametrize("how", TARGETS)
@pytest.mark.parametrize("name,matrix", MATRICES or [("absent", "X")])
def test_shared(name, matrix, how, quern_bin, tmp_path):
    out = tmp_path / "out.h5ad"
    report = json.loads(run(quern_bin, "normalize", DATA / name, "--layer", matrix, "-o", out, "--json", "-", *TARGETS[how]).stdout)
    ours = written_csr(out)
    group = ANSWERS[name]["numbers"][matrix].get("same_as", matrix)
    with h5py.File(DATA / "expected" / f"{name}.h5") as file:
        answers = file[f"{group}/{how}"]
        target = answers.attrs.get("target_sum")
        values = {part: answers[part][()] for part in ("first", "last", "row_sums")}
        sha = answers.attrs["sha256_all_values_rounded_to_float32"]
    if how == "median":
        assert report["result"]["target_sum"] == (None if np.isnan(target) else pytest.approx(target, rel=1e-12))
    narrow = ours.data.astype(np.float32)
    for part, found in (("first", narrow[:500]), ("last", narrow[-500:] if narrow.size else narrow)):
        assert ulps(found, values[part].astype(np.float32)).max(initial=0) <= 2
    finite = np.abs(ours.data[np.isfinite(ours.data)])
    largest = finite.max(initial=0) * ours.shape[1]
    sums = np.asarray(ours.astype(float).sum(axis=1)).ravel()
    np.testing.assert_allclose(sums, values["row_sums"], rtol=1e-6, atol=1e-6 * largest)
    if ANSWERS[name]["matrices"][group]["whole_numbers"]:
        assert hashlib.sha256(narrow.tobytes()).hexdigest() == (sha.decode() if isinstance(sha, bytes) else sha)
