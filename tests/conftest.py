"""What every Python test shares: where things are, and an honest exit code when nothing could run."""
import os
from pathlib import Path

import pytest

ALL_SKIPPED = 77  # tests/CMakeLists.txt tells ctest what it means
MAY_SKIP = ("no GPU", "no shared data in ")  # how the reason of a skip begins; any other skip fails the run


def _path(variable, default):
    return Path(os.environ.get(variable, default)).resolve()


ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def quern_bin():
    """The program under test; a missing one is a failure, never a skip."""
    path = _path("QUERN_BIN", ROOT / "build" / "quern")
    assert path.is_file(), f"{path} is not built"
    return str(path)


@pytest.fixture(scope="session")
def fixtures_dir():
    """Files made by tests/fixtures/make_fixtures.py."""
    path = _path("QUERN_FIXTURES", ROOT / "build" / "fixtures")
    assert (path / "manifest.json").is_file(), f"{path} is not made: run tests/fixtures/make_fixtures.py {path}"
    return path


def _reason(report):
    """Why a report says "skipped"; pytest keeps it as (file, line, text)."""
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or reporter is None:
        return
    not_allowed = [report for report in reporter.stats.get("skipped", []) if not _reason(report).startswith(MAY_SKIP)]
    for report in not_allowed:
        reporter.write_line(f"FAILED {report.nodeid}: may not be skipped: {_reason(report)}", red=True)
    count = {name: len(reporter.stats.get(name, [])) for name in ("passed", "skipped", "xfailed")}
    if not_allowed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif count["skipped"] and not count["passed"] and not count["xfailed"]:
        session.exitstatus = ALL_SKIPPED
