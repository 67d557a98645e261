"""The program with an emulated device (build/emulated/quern), and what its fake runtime is told and tells."""
import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def emulated_bin():
    """quern beside a module whose device is emulated; a missing one is a failure."""
    path = Path(os.environ.get("QUERN_BUILD_DIR", ROOT / "build")).resolve() / "emulated" / "quern"
    assert path.is_file() and (path.parent / "libquern_cuda.so").is_file(), f"{path.parent} is not built"
    return str(path)


class FakeCuda:
    """The environment of one run, and the log that the fake runtime leaves."""

    def __init__(self, folder, *words):
        self.log_path = folder / "fake-cuda.json"
        self.log_path.unlink(missing_ok=True)
        self.env = {**os.environ, "QUERN_FAKE_CUDA": ",".join(words), "QUERN_FAKE_CUDA_LOG": str(self.log_path)}

    def log(self):
        return json.loads(self.log_path.read_text(encoding="utf-8"))


@pytest.fixture
def fake_cuda(tmp_path):
    return lambda *words: FakeCuda(tmp_path, *words)
