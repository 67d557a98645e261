"""The ways to be without a device: `devices`, `doctor`, `--backend auto` and `cuda` tell them apart and say what to do."""
import json
import shutil
import subprocess

import pytest

from support.program import run

STATES = [
    (["driver=none"], "no-driver", "no NVIDIA driver"),
    (["driver=old"], "old-driver", "12.2"),
    (["driver=mismatch"], "broken-driver", "cudaError 803"),
    (["driver=unavailable"], "forbidden-device", "may not be used"),
    (["devices=0"], "no-device", "no device"),
    (["mode=prohibited"], "forbidden-device", "Prohibited"),
    (["major=7"], "no-device", "compute capability is 7.0"),
]


@pytest.fixture(scope="module")
def matrix(emulated_bin, tmp_path_factory):
    path = tmp_path_factory.mktemp("states") / "small.h5ad"
    run(emulated_bin, "generate", path, "--preset", "pbmc3k", "--cells", "40", "--genes", "300", "-q")
    return path


@pytest.mark.parametrize("words, state, says", STATES, ids=lambda value: value if isinstance(value, str) else value[0])
def test_without_a_device(words, state, says, emulated_bin, matrix, fake_cuda, tmp_path):
    env = fake_cuda(*words).env
    for verb in ("devices", "doctor"):
        done = run(emulated_bin, verb, "--json", tmp_path / "report.json", "-f", env=env)
        cuda = json.loads((tmp_path / "report.json").read_text())["result"]["cuda"]
        assert cuda["state"] == state and cuda["built"] and says in cuda["reason"]
        assert cuda["reason"] in done.stdout and cuda["hint"] in done.stdout
    done = run(emulated_bin, "qc", matrix, "--backend", "cuda", "--cells-out", tmp_path / "cells.tsv", expect=6, env=env)
    assert f"[{state}]" in done.stderr and says in done.stderr and not (tmp_path / "cells.tsv").exists()
    done = run(emulated_bin, "qc", matrix, "-v", env=env)
    assert [line for line in done.stderr.splitlines() if "backend cpu: " in line and says in line]
    done = run(emulated_bin, "doctor", "--selftest", expect=6, env=env)
    assert f"[{state}]" in done.stderr


def test_a_device_in_use_by_another(emulated_bin, matrix, fake_cuda):
    env = fake_cuda("mode=busy").env
    assert "[forbidden-device]" in run(emulated_bin, "qc", matrix, "--backend", "cuda", expect=6, env=env).stderr
    report = json.loads(run(emulated_bin, "qc", matrix, "--json", "-", env=env).stdout)
    assert report["quern"]["backend"] == "cpu"


@pytest.mark.parametrize("busy", [0, 1])
def test_one_device_in_use_leaves_the_others(busy, emulated_bin, matrix, fake_cuda):
    env = fake_cuda("devices=2", f"mode=busy:{busy}").env
    report = json.loads(run(emulated_bin, "qc", matrix, "--backend", "cuda", "--json", "-", env=env).stdout)
    assert report["quern"]["backend"] == "cuda" and f"Emulated device {1 - busy}" in report["quern"]["device"]
    assert f"Emulated device {busy}" not in report["quern"]["device"]
    left_out = [warning["text"] for warning in report["warnings"] if warning["code"] == "device-left-out"]
    assert len(left_out) == 1 and f"Emulated device {busy}" in left_out[0]


def test_ready(emulated_bin, matrix, fake_cuda):
    done = run(emulated_bin, "devices", "--json", "-", env=fake_cuda("devices=2").env)
    report = json.loads(done.stdout)["result"]
    assert report["cuda"]["state"] == "ready" and [d["backend"] for d in report["devices"]] == ["cpu", "cuda", "cuda"]
    assert len({device.get("uuid") for device in report["devices"]}) == 3
    done = run(emulated_bin, "qc", matrix, "-v", env=fake_cuda().env)
    assert "backend cuda: there is Emulated device 0" in done.stderr


@pytest.fixture
def moved(emulated_bin, tmp_path):
    """A copy of the program in a folder without its module."""
    (tmp_path / "bin").mkdir()
    return str(shutil.copy(emulated_bin, tmp_path / "bin" / "quern"))


def state_of(binary):
    return json.loads(run(binary, "devices", "--json", "-").stdout)["result"]["cuda"]["state"]


def test_no_module(moved, matrix):
    assert state_of(moved) == "not-built"
    assert "[not-built]" in run(moved, "qc", matrix, "--backend", "cuda", expect=6).stderr
    assert "built without" in run(moved, "qc", matrix, "-v").stderr


def test_installed_module(tmp_path, emulated_bin):
    (tmp_path / "bin").mkdir()
    (tmp_path / "lib" / "quern").mkdir(parents=True)
    shutil.copy(emulated_bin, tmp_path / "bin" / "quern")
    shutil.copy(emulated_bin.removesuffix("quern") + "libquern_cuda.so", tmp_path / "lib" / "quern")
    assert state_of(str(tmp_path / "bin" / "quern")) == "ready"


def test_module_that_is_none(moved, tmp_path, matrix):
    (tmp_path / "bin" / "libquern_cuda.so").write_bytes(b"nothing")
    assert state_of(moved) == "wrong-module"
    assert "[wrong-module]" in run(moved, "qc", matrix, "--backend", "cuda", expect=6).stderr


def test_module_of_another_build(moved, tmp_path):
    source = 'extern "C" const void* quern_cuda_module(const char*) { return nullptr; }'
    subprocess.run(["g++", "-shared", "-fPIC", "-x", "c++", "-", "-o", tmp_path / "bin" / "libquern_cuda.so"], input=source, text=True, check=True)
    assert state_of(moved) == "wrong-module"


def test_a_module_of_another_build_is_named(moved, tmp_path, matrix):
    source = 'extern "C" { const char* quern_cuda_module_build() { return "GNU 1.2.3, abc"; } void* quern_cuda_module(const char*) { return 0; } }'
    subprocess.run(["g++", "-shared", "-fPIC", "-x", "c++", "-", "-o", tmp_path / "bin" / "libquern_cuda.so"], input=source, text=True, check=True)
    done = run(moved, "qc", matrix, "--backend", "cuda", expect=6)
    assert "[wrong-module]" in done.stderr and "GNU 1.2.3, abc" in done.stderr and "./bootstrap build" in done.stderr


def test_the_module_is_not_opened_in_vain(emulated_bin, fake_cuda, matrix):
    for arguments in (["--version"], ["info", matrix], ["qc", matrix, "--backend", "cpu"], ["qc", "--help"]):
        fake = fake_cuda()
        run(emulated_bin, *arguments, env=fake.env)
        assert not fake.log_path.exists()
