"""Runs Python tests for tests/mutants/run: learns which sites each test reaches, or runs chosen tests with one site off after the other.

QUERN_MUTANTS_JOB names a JSON file: {"learn": true}, {"kill": [[site, [test ids]], ...]} or {"find": [[test id, [sites]], ...]}; the answer is added to
JOB.answer, a line at a time.
Sites are off, or watched, while a test's own function runs: what its fixtures made stays good for the tests that follow.
"""
import json
import os
import tempfile
import time

import pytest
from _pytest.runner import runtestprotocol

JOB = os.environ["QUERN_MUTANTS_JOB"]
SECONDS = 30  # of one run of the program

_while_it_runs = {}


class _ParentOf:
    """Stands for the next test, one in the same module: its fixtures stay."""

    def __init__(self, item):
        self.item = item

    def listchain(self):
        return self.item.listchain()[:-1]


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_pyfunc_call():
    os.environ.update(_while_it_runs)
    yield
    for name in _while_it_runs:
        os.environ.pop(name, None)


def _run(session, item, **environment):
    """(passed, seconds)."""
    session._setupstate.teardown_exact(item)
    _while_it_runs.clear()
    _while_it_runs.update(environment)
    start = time.monotonic()
    reports = runtestprotocol(item, log=False, nextitem=_ParentOf(item))
    for report in reports:
        if report.failed:
            print(f"\n{item.nodeid} {environment}\n{str(report.longrepr)[-2000:]}", flush=True)
    return not any(report.failed for report in reports), time.monotonic() - start


def _learn(session, answer):
    for item in session.items:
        with tempfile.TemporaryDirectory() as folder:
            seen = os.path.join(folder, "seen")
            os.close(os.open(seen, os.O_CREAT | os.O_WRONLY, 0o666))
            os.chmod(folder, 0o755)
            os.chmod(seen, 0o666)  # also for runs of other users
            passed, seconds = _run(session, item, QUERN_MUTANTS_SEEN=seen)
            if not passed:  # a busy machine: once more
                passed, seconds = _run(session, item, QUERN_MUTANTS_SEEN=seen)
            with open(seen, encoding="ascii") as file:
                sites = sorted({int(line) for line in file})
        answer({"test": item.nodeid, "passed": passed, "seconds": seconds, "sites": sites})


def _kill(session, answer, jobs):
    items = {item.nodeid: item for item in session.items}
    for site, tests in jobs:
        # A test that fails must pass again with the site on, or it was something else that made it fail.
        fails = (test for test in tests if not _run(session, items[test], QUERN_MUTANT_OFF=str(site))[0] and _run(session, items[test])[0])
        answer({"site": site, "killer": next(fails, None)})


def _find(session, answer, jobs):
    """The first of the sites that makes a test fail."""
    items = {item.nodeid: item for item in session.items}
    for test, sites in jobs:
        makes_it_fail = (site for site in sites if not _run(session, items[test], QUERN_MUTANT_OFF=str(site))[0] and _run(session, items[test])[0])
        answer({"test": test, "site": next(makes_it_fail, None)})


def pytest_collection_finish():
    from support import program
    program.TIME_LIMIT_SECONDS = SECONDS


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    with open(JOB, encoding="utf-8") as file:
        job = json.load(file)
    with open(JOB + ".answer", "a", encoding="utf-8") as file:

        def answer(record):
            print(json.dumps(record), file=file, flush=True)

        if "learn" in job:
            _learn(session, answer)
        elif "find" in job:
            _find(session, answer, job["find"])
        else:
            _kill(session, answer, job["kill"])
    session._setupstate.teardown_exact(None)
    return True
