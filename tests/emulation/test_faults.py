"""Every call of the runtime fails in turn, with each class of error: the right exit code, the device named, no output, nothing left behind."""
import json
import re

import pytest

from support.program import run

OUT_OF_MEMORY, ILLEGAL_ADDRESS, ECC, TIMEOUT, LOST, UNAVAILABLE, OTHER = 2, 700, 214, 702, 999, 46, 1
ERRORS = {OUT_OF_MEMORY: (5, "device-memory"), ILLEGAL_ADDRESS: (6, "device-fault"), ECC: (6, "device-memory-broken"), TIMEOUT: (6, "device-timeout"),
          LOST: (6, "device-lost"), UNAVAILABLE: (6, "forbidden-device"), OTHER: (6, "device-error")}
UUID = re.compile(r"GPU-e0000000-0000-0000-0000-\d{12}")
# What a run can do without: page-locked memory, and what happens when all is over.
SURVIVED = {"lock_host": [OUT_OF_MEMORY, OTHER, UNAVAILABLE], "unlock_host": ERRORS, "free": ERRORS, "drop_pool": ERRORS, "destroy_stream": ERRORS, "destroy_event": ERRORS,
            "driver_version": [OUT_OF_MEMORY, OTHER, UNAVAILABLE]}
# Asked before there is a device to name.
BEFORE = ("device_count", "device_facts", "driver_version")
# Which of these calls make room for the first chunk.
PREPARATION = {"clear": [1], "create_stream": [1, 2, 3], "create_event": [1, 2], "copy_up": [1, 2], "synchronize_stream": [1], "set_device": [2, 3, 4, 5], "pool_bytes": [1]}
# More calls than these of one kind tell nothing new.
MOST_OF_A_KIND = 8


@pytest.fixture(scope="module")
def matrix(emulated_bin, tmp_path_factory):
    path = tmp_path_factory.mktemp("faults") / "small.h5ad"
    run(emulated_bin, "generate", path, "--preset", "pbmc3k", "--cells", "60", "--genes", "600", "-q")
    return path


def qc(binary, matrix, folder, fake, backend, expect):
    outputs = [folder / "cells.tsv", folder / "genes.tsv"]
    for path in outputs:
        path.unlink(missing_ok=True)
    done = run(binary, "qc", matrix, "--moments", "--backend", backend, "-t", "2", "--chunk-nnz", "3000", "--cells-out", outputs[0], "--genes-out",
               outputs[1], "--json", "-", env=fake.env, expect=expect)
    return done, json.loads(done.stdout), [path for path in outputs if path.exists()]


@pytest.fixture(scope="module")
def clean(emulated_bin, matrix, tmp_path_factory):
    """(digest, calls of each kind) of a run in which nothing fails."""
    from emulation.conftest import FakeCuda
    folder = tmp_path_factory.mktemp("clean")
    fake = FakeCuda(folder)
    _, report, _ = qc(emulated_bin, matrix, folder, fake, "cuda", 0)
    return report["digest"], fake.log()["calls"]


def test_every_kind_of_call_is_made(clean):
    assert set(clean[1]) == {"allocate", "clear", "copy_down", "copy_up", "create_event", "create_stream", "destroy_event", "destroy_stream",
                             "device_count", "device_facts", "driver_version", "drop_pool", "free", "last_error", "launch", "lock_host", "make_pool",
                             "memory_info", "pool_bytes", "record_event", "set_device", "synchronize_event", "synchronize_stream", "unlock_host"}


def expected_exit(kind, nth, code, calls):
    """(exit code, error code or None); 0 where the run does without."""
    sticky = code in (ILLEGAL_ADDRESS, ECC, TIMEOUT, LOST)
    if code in SURVIVED.get(kind, []) and not (sticky and kind in ("lock_host", "driver_version")):
        return 0, None
    if kind == "allocate" and code == OUT_OF_MEMORY:
        return 0, None  # tried again with less
    if kind in PREPARATION and code == OUT_OF_MEMORY and nth in PREPARATION[kind]:
        return 0, None  # likewise
    return ERRORS[code]


def complaint(done, report, outputs, fake, wanted, kind):
    code, word = wanted
    if code == 0:
        return None if not report.get("error") and len(outputs) == 2 else f"no result: {done.stderr}"
    lines = done.stderr.splitlines()
    if outputs:
        return f"outputs are there: {outputs}"
    if kind not in BEFORE and (report["error"]["code"] != word or not UUID.search(lines[0])):
        return f"expected {word} and the device: {done.stderr}"
    if len(lines) > 3 or "Traceback" in done.stderr:
        return f"too many words: {done.stderr}"
    left = fake.log()["left"]
    return f"left behind: {left}" if any(left.values()) else None


KINDS = ["allocate", "clear", "copy_down", "copy_up", "create_event", "create_stream", "destroy_event", "destroy_stream", "drop_pool", "free",
         "last_error", "launch", "lock_host", "make_pool", "memory_info", "pool_bytes", "record_event", "set_device", "synchronize_event",
         "synchronize_stream", "unlock_host"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_fails(kind, emulated_bin, matrix, clean, fake_cuda, tmp_path):
    digest, calls = clean
    numbers = range(1, min(calls[kind], MOST_OF_A_KIND) + 1)
    # All classes for the first and the last of a kind, one resource and one sticky error for those between.
    cases = [(n, code) for n in numbers for code in (ERRORS if n in (1, numbers[-1]) else (OUT_OF_MEMORY, ILLEGAL_ADDRESS))]
    complaints = []
    for nth, code in cases:
        fake = fake_cuda(f"fail={kind}:{nth}:{code}")
        wanted = expected_exit(kind, nth, code, calls)
        done, report, outputs = qc(emulated_bin, matrix, tmp_path, fake, "cuda", wanted[0])
        wrong = complaint(done, report, outputs, fake, wanted, kind)
        if not wrong and wanted[0] == 0 and report["digest"] != digest:
            wrong = "another digest"
        complaints += [f"call {nth}, error {code}: {wrong}"] if wrong else []
    assert complaints == []


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in SURVIVED])
def test_auto_falls_back_before_the_first_chunk_only(kind, emulated_bin, matrix, clean, fake_cuda, tmp_path):
    """A failing first call of a kind that belongs to the preparation: the processor takes over and says so; of a chunk: the run ends."""
    digest, _ = clean
    fake = fake_cuda(f"fail={kind}:1:{ILLEGAL_ADDRESS}")
    of_chunks = kind in ("copy_down", "last_error", "launch", "record_event", "synchronize_event")
    done, report, outputs = qc(emulated_bin, matrix, tmp_path, fake, "auto", 6 if of_chunks else 0)
    if of_chunks:
        assert outputs == [] and report["error"]["code"] == "device-fault"
        return
    assert report["quern"]["backend"] == "cpu" and report["digest"] == digest and len(outputs) == 2
    told = [warning["code"] for warning in report["warnings"]]
    assert "fell-back" in told and "GPU-e0000000" in done.stderr
