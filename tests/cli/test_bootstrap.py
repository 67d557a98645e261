"""./bootstrap as a newcomer meets it: usage, mistyped words, and packages that cannot be installed."""
import os
import stat
import subprocess
from pathlib import Path

import pytest

BOOTSTRAP = Path(__file__).resolve().parents[2] / "bootstrap"


def bootstrap(*arguments, path=None, cwd=None, env=None):
    environment = {**os.environ, **(env or {})}
    if path:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    return subprocess.run([BOOTSTRAP, *arguments], capture_output=True, text=True, timeout=60, check=False, env=environment, cwd=cwd)


@pytest.mark.parametrize("arguments", [[], ["buidl"], ["build", "everything"], ["build", "--cuda", "more"], ["build", "--cudda"], ["demo", "--cells"], ["demo", "a", "b"], ["demo", "--sells", "3"],
                                       ["demo", "--cells", "many"], ["demo", "no-such-file.h5ad"]])
def test_mistyped(arguments):
    done = bootstrap(*arguments)
    assert done.returncode == 2
    assert done.stderr.strip() and not done.stdout.strip()


def test_help():
    done = bootstrap("--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("build", "demo", "test"))


def fake(folder, name, script):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("user,may", [(0, "apt-get fails"), (1000, "sudo fails")])
def test_packages_that_cannot_be_installed_are_listed(user, may, tmp_path):
    fake(tmp_path, "dpkg-query", 'case "$*" in *libhdf5-dev*|*cmake*|*python3) exit 1;; esac; printf installed')
    fake(tmp_path, "id", f"echo {user}")
    fake(tmp_path, "apt-get", "exit 100")
    fake(tmp_path, "sudo", 'test "$*" = "" || exit 1' if may == "sudo fails" else 'exec "$@"')
    for verb, packages in (("build", "cmake libhdf5-dev"), ("demo", "cmake libhdf5-dev python3"), ("test", "cmake libhdf5-dev python3")):
        done = bootstrap(verb, path=tmp_path)
        assert done.returncode == 2
        assert f"apt-get install {packages}\n" in done.stderr


def test_cuda_is_fetched_where_there_is_no_compiler(tmp_path):
    fake(tmp_path, "dpkg-query", 'case "$*" in *python3-pip|*cmake) exit 1;; esac; printf installed')
    fake(tmp_path, "apt-get", "exit 100")
    fake(tmp_path, "sudo", 'exec "$@"')
    folders = [folder for folder in os.environ["PATH"].split(":") if not os.path.exists(f"{folder}/nvcc")]
    without = {"CUDA_HOME": str(tmp_path), "PATH": ":".join(folders)}
    assert "apt-get install python3-pip\n" in bootstrap("build", "--cuda", path=tmp_path, env=without).stderr
    assert "apt-get install cmake\n" in bootstrap("build", path=tmp_path, env=without).stderr
    fake(tmp_path, "nvcc", "exit 1")
    done = bootstrap("build", "--cuda", path=tmp_path, env=without)
    assert f"there is a CUDA toolkit: {tmp_path}/nvcc" in done.stdout and "apt-get install cmake\n" in done.stderr


def test_a_file_is_looked_for_where_the_user_is(tmp_path):
    fake(tmp_path, "dpkg-query", "exit 1")
    fake(tmp_path, "apt-get", "exit 100")
    fake(tmp_path, "sudo", 'exec "$@"')
    (tmp_path / "mine.h5ad").touch()
    assert "apt-get install g++" in bootstrap("demo", "mine.h5ad", path=tmp_path, cwd=tmp_path).stderr
    assert "no such file" in bootstrap("demo", "mine.h5ad", path=tmp_path, cwd=tmp_path.parent).stderr
