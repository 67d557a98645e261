"""A test may be skipped for want of a GPU or of the shared data, and for nothing else."""
import os
import shutil
import subprocess
import sys

import pytest

from conftest import ALL_SKIPPED, ROOT

HEAD = "import pytest\ndef test_that_runs(): pass\n"


def exit_code_of(folder, source):
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n", encoding="ascii")
    (folder / "test_it.py").write_text(source, encoding="ascii")
    words = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", folder / "pytest.ini", folder / "test_it.py"]
    return subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTEST_ADDOPTS": ""}, check=False)


@pytest.mark.parametrize("reason", ["no GPU", "no GPU: the driver is not loaded", "no shared data in /data"])
def test_reasons_that_count(tmp_path, reason):
    skipped = f"@pytest.mark.skipif(True, reason={reason!r})\ndef test_that_cannot(): pass\n"
    assert exit_code_of(tmp_path, HEAD + skipped).returncode == 0
    assert exit_code_of(tmp_path, "import pytest\n" + skipped).returncode == ALL_SKIPPED


@pytest.mark.parametrize(
    "skipped",
    [
        "@pytest.mark.skip(reason='slow today')\ndef test_that_is_not(): pass\n",
        "@pytest.mark.skip\ndef test_that_is_not(): pass\n",
        "def test_that_is_not(): pytest.skip('slow today')\n",
        "@pytest.mark.parametrize('x', [])\ndef test_that_is_not(x): pass\n",
        "pytest.importorskip('no_such_module')\n",
        "pytest.skip('slow today', allow_module_level=True)\n",
    ],
)
@pytest.mark.parametrize("head", [HEAD, "import pytest\n"])
def test_any_other_reason_fails(tmp_path, head, skipped):
    done = exit_code_of(tmp_path, head + skipped)
    assert done.returncode == 1, done.stdout
    assert "may not be skipped" in done.stdout
