"""The kernels on the model of a device against the CPU backend: the same digest of every result, the same bytes of what is written, for every
fixture and every shared file."""
import json
import os
from pathlib import Path

import pytest

from conformance import test_normalize as normalized
from conformance.test_shared_data import ANSWERS, DATA, MATRICES, arguments_of
from support.program import run

BUILD = Path(os.environ.get("QUERN_BUILD_DIR", Path(__file__).resolve().parents[2] / "build"))
EMULATED = BUILD / "emulated" / "quern"
FIXTURES = Path(os.environ.get("QUERN_FIXTURES", BUILD / "fixtures"))
MANIFEST = FIXTURES / "manifest.json"
CASES = json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else []

# Also those that nobody has written answers down for.
EVERY_MATRIX = [(name, matrix) for name in sorted(ANSWERS) for matrix in ANSWERS[name]["numbers"]] or MATRICES


def digest(binary, path, *arguments, **options):
    return json.loads(run(binary, "qc", path, *arguments, "--moments", "--json", "-", "-q", **options).stdout)["digest"]


def orders():
    return [{**os.environ, "QUERN_EMULATION_ORDER": order} for order in ("descending", "shuffled")]


def on_device(path, *arguments, **options):
    return digest(EMULATED, *path, "--backend", "cuda", *arguments, **options)


def test_there_are_cases():
    assert len(CASES) > 150


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fixtures(case, quern_bin):
    file = [FIXTURES / case["path"], *case["arguments"]]
    expected = digest(quern_bin, *file)
    # Chunks as they come, in a shuffled order, are the conformance suite's: tests/CMakeLists.txt.
    assert on_device(file, "--chunk-nnz", "1", "--test-slots", "2", env=orders()[0]) == expected


@pytest.mark.parametrize("name,matrix", EVERY_MATRIX)
def test_shared_files(name, matrix, quern_bin):
    if not ANSWERS:
        pytest.skip(f"no shared data in {DATA}")
    file = [DATA / name, *arguments_of(name, matrix)]
    assert on_device(file, env=orders()[1]) == digest(quern_bin, *file)


def normalize(binary, out, path, *arguments, **options):
    """Digest and bytes of what is written."""
    words = ["normalize", *path, "-o", out, "--force", "--no-provenance", "--json", "-", "-q", *arguments]
    return json.loads(run(binary, *words, **options).stdout)["digest"], out.read_bytes()


@pytest.mark.parametrize("case", normalized.CASES, ids=lambda case: case["name"])
def test_normalized_fixtures(case, quern_bin, tmp_path):
    file, out = [FIXTURES / case["path"], *case["arguments"]], tmp_path / "out.h5ad"
    descending, shuffled = orders()
    expected = normalize(quern_bin, out, file)
    assert normalize(EMULATED, out, file, "--backend", "cuda", env=descending) == expected
    one_row = ["--backend", "cuda", "--chunk-nnz", "1", "--test-slots", "2"]
    assert normalize(EMULATED, out, file, *one_row, "--verify", "0.5", env=shuffled) == expected


@pytest.mark.parametrize("name,matrix", normalized.MATRICES)
def test_normalized_shared_files(name, matrix, quern_bin, tmp_path):
    if not ANSWERS:
        pytest.skip(f"no shared data in {DATA}")
    file, out = [DATA / name, "--layer", matrix, "--target-sum", "1e4"], tmp_path / "out.h5ad"
    assert normalize(EMULATED, out, file, "--backend", "cuda", env=orders()[1]) == normalize(quern_bin, out, file)
