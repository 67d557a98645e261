import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.fixture
def folder():
    """An empty folder that every user can reach (pytest's own are for their owner only)."""
    with tempfile.TemporaryDirectory(prefix="quern-hostile-", ignore_cleanup_errors=True) as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def binary_for_all(quern_bin):
    """The program where every user may run it."""
    with tempfile.TemporaryDirectory(prefix="quern-hostile-") as name:
        os.chmod(name, 0o755)
        shutil.copy(quern_bin, name)
        yield str(Path(name, Path(quern_bin).name))
