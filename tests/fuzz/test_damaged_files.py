"""Readers under AddressSanitizer and UndefinedBehaviorSanitizer: every truncation and 500 flips of small files of three generations."""
import os
from pathlib import Path

import pytest

from fuzz import damage

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("QUERN_ASAN_BIN", ROOT / "build" / "asan-ubsan" / "quern"))
FILES = ["generation-0.6.h5ad", "generation-0.7.h5ad", "nullable-index.h5ad"]
VERBS = [("check", "--deep"), ("qc", "-q", "--chunk-nnz", "100", "-t", "2")]
# HDF5's own leaks on broken files are not ours to report; its signals must stay signals, so that the probe is seen to survive them.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_leaks=0:handle_segv=0:handle_abort=0:handle_sigbus=0:handle_sigfpe=0:exitcode=99:allocator_may_return_null=1",
               "UBSAN_OPTIONS": "print_stacktrace=1"}


@pytest.fixture(name="binary")
def _binary():
    assert BINARY.is_file(), f"{BINARY} is not built: cmake --preset asan-ubsan && cmake --build --preset asan-ubsan"
    return str(BINARY)


@pytest.mark.parametrize("name", FILES)
def test_sound_file_passes(name, binary, fixtures_dir, tmp_path):
    """The loop starts from a file that is read without complaint."""
    whole = damage.Damage("whole", (fixtures_dir / name).read_bytes())
    assert not damage.run_on(binary, whole, tmp_path, VERBS, ENVIRONMENT)


@pytest.mark.parametrize("name", FILES)
def test_truncated(name, binary, fixtures_dir, tmp_path):
    damages = damage.truncations((fixtures_dir / name).read_bytes())
    assert len(damages) > 50
    found = damage.run_all(binary, damages, tmp_path, VERBS, ENVIRONMENT)
    assert not found, f"{len(found)} findings; the first:\n" + "\n".join(found[:5])


@pytest.mark.parametrize("name", FILES)
def test_flipped(name, binary, fixtures_dir, tmp_path):
    damages = damage.flips((fixtures_dir / name).read_bytes(), seed=name)
    found = damage.run_all(binary, damages, tmp_path, VERBS, ENVIRONMENT)
    assert not found, f"{len(found)} findings; the first:\n" + "\n".join(found[:5])


@pytest.mark.parametrize("script,expected", [("exit 0", ""), ("echo refused >&2; exit 3", ""), ("kill -SEGV $$", "exit -11"), ("exit 1", "exit 1"),
                                             ("exit 3", "refused without a word"),
                                             ("echo 'x.cpp:1: runtime error: y' >&2; exit 3", "sanitizer report")])
def test_the_loop_can_fail(script, expected, tmp_path):
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    found = damage.run_on(str(program), damage.Damage("any", b"any"), tmp_path, [("check",)], {})
    assert bool(found) == bool(expected) and expected in "".join(found)
