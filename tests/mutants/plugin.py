"""Runs Python tests for tests/mutants/run: learns which sites each test reaches, or runs chosen tests with one site off after the other.

QUERN_MUTANTS_JOB names a JSON file: {"learn": true} or {"kill": [[site, [test ids]], ...]}; the answer goes to JOB.answer, a line at a time.
"""
import json
import os
import tempfile
import time

import pytest
from _pytest.runner import runtestprotocol

JOB = os.environ["QUERN_MUTANTS_JOB"]


def _run(session, item):
    """(passed, seconds); fixtures of the module stay for the next test of it."""
    session._setupstate.teardown_exact(item)
    start = time.monotonic()
    reports = runtestprotocol(item, log=False, nextitem=item)
    return all(report.passed for report in reports), time.monotonic() - start


def _learn(session, answer):
    for item in session.items:
        with tempfile.TemporaryDirectory() as folder:
            seen = os.path.join(folder, "seen")
            os.environ["QUERN_MUTANTS_SEEN"] = seen
            os.close(os.open(seen, os.O_CREAT | os.O_WRONLY, 0o666))
            os.chmod(folder, 0o755)
            os.chmod(seen, 0o666)  # also for runs of other users
            passed, seconds = _run(session, item)
            with open(seen, encoding="ascii") as file:
                sites = sorted({int(line) for line in file})
        answer({"test": item.nodeid, "passed": passed, "seconds": seconds, "sites": sites})


def _kill(session, answer, jobs):
    items = {item.nodeid: item for item in session.items}
    for site, tests in jobs:
        os.environ["QUERN_MUTANT_OFF"] = str(site)
        killer = next((test for test in tests if not _run(session, items[test])[0]), None)
        answer({"site": site, "killer": killer})


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    with open(JOB, encoding="utf-8") as file:
        job = json.load(file)
    with open(JOB + ".answer", "w", encoding="utf-8") as file:

        def answer(record):
            print(json.dumps(record), file=file, flush=True)

        if "learn" in job:
            _learn(session, answer)
        else:
            _kill(session, answer, job["kill"])
    session._setupstate.teardown_exact(None)
    return True
