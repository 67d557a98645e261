"""What every Python test shares: where things are, and an honest exit code when nothing could run."""
import os
from pathlib import Path

import pytest

ALL_SKIPPED = 77  # tests/CMakeLists.txt tells ctest what it means


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


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if exitstatus != 0 or reporter is None:
        return
    count = {name: len(reporter.stats.get(name, [])) for name in ("passed", "skipped", "xfailed")}
    if count["skipped"] and not count["passed"] and not count["xfailed"]:
        session.exitstatus = ALL_SKIPPED
