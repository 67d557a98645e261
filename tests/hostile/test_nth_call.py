"""The fault matrix: for every output, every Nth call of each function that changes the disk fails, once and for ever.

Afterwards the exit code is 4, what was at the target is there as it was, and nothing else is left.
"""
import shutil

import pytest

from hostile import nth_call
from hostile.fault_scenarios import SCENARIOS
from hostile.table import run
from hostile.writers import OF_A_FAILED_RUN, WRITERS, at, counts_of, place_old

WRITING = [(function, "") for function in ("write", "pwrite", "ftruncate")]
# With what the system does not have.
PLACING = [(function, "") for function in ("fsync", "fchmod", "chmod", "mkdir", "open", "close", "rename", "renameat2")]
PLACING += [("link", "renameat2"), ("rename", "renameat2")]
FUNCTIONS = WRITING + PLACING
MAY_PASS = {"open"}  # HDF5 tries in two ways


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    return nth_call.build(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def whole(quern_bin, library, tmp_path_factory):
    """{(writer, is something at the target, what is absent): (input, what is at the target after a good run, calls)}."""
    known = {}

    def look(name, old, absent):
        if (name, old, absent) not in known:
            folder = tmp_path_factory.mktemp("whole")
            source, out, log = counts_of(folder), folder / "out", folder / "calls"
            done = attempt(quern_bin, name, source, out, old, nth_call.NthCall(library, out).count(log, absent))[0]
            assert done.status == 0, done.stderr
            known[name, old, absent] = source, at(out / WRITERS[name].target), nth_call.counts(log)
        return known[name, old, absent]

    return look


def attempt(quern_bin, name, source, out, old, environment):
    """(the run, what was at its target before)."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    writer = WRITERS[name]
    before = place_old(out / writer.target) if old else None
    words = writer.words_for(source, out / writer.target, *writer.small, *(["--force"] if old else []))
    return run(quern_bin, words, out, env=environment), before


def wrong(done, before, after, good, function, left):
    """What is wrong with a run in which a call failed; None when nothing is."""
    if left and not (len(left) == 1 and f"{left.copy().pop()}: could not rename the old folder back" in done.stderr):
        return f"left behind: {left}"
    if done.status == 0:
        return None if function in MAY_PASS and after == good else "exit 0" + ("" if after == good else " and another output")
    if done.status != 4 or "]" not in done.stderr:
        return f"exit {done.status}: {done.stderr}"
    synced_late = function in ("fsync", "open") and after == good  # the folder's, after the rename
    return None if after in (before, OF_A_FAILED_RUN) or synced_late or left else f"the target changed: {done.stderr}"


@pytest.mark.parametrize("how, old, functions", [("once", False, FUNCTIONS), ("once", True, PLACING), ("ever", False, PLACING), ("ever", True, FUNCTIONS)],
                         ids=["once", "once-old", "ever", "ever-old"])
@pytest.mark.parametrize("name", WRITERS)
def test_every_call_fails(quern_bin, library, whole, tmp_path, name, how, old, functions):
    """What lies at the target matters only to functions that put something in place."""
    complaints, target = [], tmp_path / "out" / WRITERS[name].target
    shim = nth_call.NthCall(library, tmp_path / "out")
    for function, absent in functions:
        source, good, calls = whole(name, old, absent)
        for number in range(1, calls[function] + 1):
            done, before = attempt(quern_bin, name, source, tmp_path / "out", old, shim.fail(function, number, how, absent))
            left = {path.name for path in target.parent.iterdir()} - {target.name}
            complaint = wrong(done, before, at(target), good, function, left)
            if complaint:
                complaints.append(f"{function} {number} of {calls[function]}: {complaint}")
    assert complaints == []


@pytest.mark.parametrize("name", WRITERS)
def test_short_calls_are_completed(quern_bin, library, whole, tmp_path, name):
    """A system may write less than it was asked for."""
    source, good, calls = whole(name, False, "")
    for function in ("write", "pwrite"):
        for number in range(1, calls[function] + 1):
            environment = nth_call.NthCall(library, tmp_path / "out").fail(function, number, "short")
            done, _ = attempt(quern_bin, name, source, tmp_path / "out", False, environment)
            assert done.status == 0 and at(tmp_path / "out" / WRITERS[name].target) == good, (function, number, done.stderr)


@pytest.mark.parametrize("name", [name for name in WRITERS if WRITERS[name].target.startswith(("out.", "made."))])
def test_lost_writes(quern_bin, library, whole, tmp_path, name):
    """A disk that forgets what it was given: found out where the file no longer holds together, row pointers included."""
    source, good, calls = whole(name, False, "")
    target, said = tmp_path / "out" / WRITERS[name].target, []
    for number in range(1, calls["pwrite"] + 1):
        environment = nth_call.NthCall(library, tmp_path / "out").fail("pwrite", number, "lost")
        done, _ = attempt(quern_bin, name, source, tmp_path / "out", False, environment)
        assert (done.status, at(target) is None) in ((4, True), (0, False)), (number, done.stderr)
        said += [done.stderr] if done.status else []
    assert any("the finished file is not what was written" in text and "indptr" in text for text in said), said


def test_short_calls_for_temporary_files(quern_bin, library, tmp_path):
    words = ["qc", SCENARIOS["csc"][1](tmp_path), "-m", "8MiB", "--percent-top", "none", "--cells-out", "-", "--tmp-dir", tmp_path / "tmp"]
    (tmp_path / "tmp").mkdir()
    shim, log = nth_call.NthCall(library, tmp_path / "tmp"), tmp_path / "calls"
    good = run(quern_bin, words, tmp_path / "out", env=shim.count(log))
    for function in ("pwrite", "pread"):
        met = nth_call.counts(log)[function]
        assert met > 0
        for number in range(1, min(met, 20) + 1):
            done = run(quern_bin, words, tmp_path / "out", env=shim.fail(function, number, "short"))
            assert done.status == 0 and done.stdout == good.stdout, (function, number, done.stderr)
    named = run(quern_bin, words, tmp_path / "out", env=shim.count(log, "O_TMPFILE"))
    assert named.status == 0 and named.stdout == good.stdout and list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.parametrize("function, absent", FUNCTIONS)
def test_function_is_called(whole, function, absent):
    """So that none of the above passes because nothing happens."""
    assert sum(whole(name, old, absent)[2][function] for name in WRITERS for old in (False, True)) > 0
