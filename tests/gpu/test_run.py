"""tests/gpu/run as far as it goes without a device: packed, and run on the emulated one; what it says where there is none."""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("QUERN_BUILD_DIR", ROOT / "build")).resolve()
RUN = ROOT / "tests" / "gpu" / "run"


def command(*words, env=None):
    return subprocess.run([sys.executable, RUN, *map(str, words)], capture_output=True, text=True, timeout=300, check=False,
                          env={**os.environ, "QUERN_EMULATION_CHECKED": "0", **(env or {})})


@pytest.fixture(scope="module")
def pack(tmp_path_factory, fixtures_dir):
    folder = tmp_path_factory.mktemp("gpu") / "pack"
    assert fixtures_dir == BUILD / "fixtures"
    done = command("pack", folder, "--build", BUILD, "--program", BUILD / "emulated", "--kernel-tests", "quern_device_pass_tests", "--no-lanes",
                   "--no-build")
    assert done.returncode == 0, done.stderr
    return folder


def results(folder, *words, env=None):
    done = command(folder, "--quick", *words, env=env)
    return done, json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_the_pack_is_small_and_has_its_libraries(pack):
    size = sum(path.stat().st_size for path in pack.rglob("*") if path.is_file())
    assert size < 50 * 2**20
    libraries = {path.name for path in (pack / "lib").iterdir()}
    assert any(name.startswith("libtbb") for name in libraries) and not any(name.startswith(("libc.", "ld-")) for name in libraries)


def test_everything_on_the_emulated_device(pack):
    done, found = results(pack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert found["state"] == "done" and found["passed"] and found["commit"]
    assert [device["name"] for device in found["device"]] == ["Emulated device 0"]
    not_run = {entry["name"] for kind in ("checks", "rates") for entry in found[kind] if entry["passed"] is None}
    assert not_run <= {"lanes: every contestant's result", "lanes: CuPy", "compute-sanitizer memcheck", "compute-sanitizer racecheck", "profile of the fused kernels"}
    runs = [run for entry in found["rates"] if "runs" in entry for run in entry["runs"]]
    assert len(runs) == 6 and all(run["bytes_to_device"] > 0 and run["steady_gb_per_s"] > 0 for run in runs if run["backend"] == "cuda")
    assert all(bar["holds"] is None for bar in found["bars"])


def test_wrong_bits_fail(pack):
    done, found = results(pack, "--only", "fixtures", env={"QUERN_FAKE_CUDA": "flip=copy_down:2"})
    assert done.returncode == 1 and found["state"] == "done" and not found["passed"]
    wrong = [entry["name"] for entry in found["checks"] if entry["passed"] is False]
    assert wrong == ["fixtures, the processor's digests"]


def test_no_time_left_fails(pack):
    done, found = results(pack, "--seconds", "1.5")
    assert done.returncode == 1 and not found["passed"] and found["seconds"] < 20


def test_the_program_as_it_is_on_this_machine(quern_bin, fixtures_dir):
    """The real module, or none: a machine without a driver is told so, and `--version` does not even look."""
    from support.program import run
    found = json.loads(run(quern_bin, "devices", "--json", "-").stdout)["result"]["cuda"]
    assert found["built"] == (BUILD / "libquern_cuda.so").exists()
    file = fixtures_dir / "modern.h5ad"
    told = run(quern_bin, "doctor").stdout
    if found["state"] != "ready":
        assert found["reason"] in told and found["hint"] in told
        assert f"[{found['state']}]" in run(quern_bin, "qc", file, "--backend", "cuda", expect=6).stderr
        assert found["reason"] in run(quern_bin, "qc", file, "-v").stderr
    else:
        run(quern_bin, "doctor", "--selftest")
    begun = []
    for _ in range(9):
        start = time.monotonic()
        run(quern_bin, "--version")
        begun.append(time.monotonic() - start)
    assert min(begun) < 0.02


def test_without_a_device(pack):
    done, found = results(pack, env={"QUERN_FAKE_CUDA": "driver=none"})
    assert done.returncode == 6 and "no device: there is no NVIDIA driver" in done.stdout
    assert found["state"].startswith("no device: ") and not found["passed"]
    assert command(pack.parent).returncode == 1  # nothing is packed there


def test_what_cannot_be_built_is_said(tmp_path):
    done = command("--build", tmp_path / "none")
    assert done.returncode == 1 and "does not build here" in done.stderr and "Traceback" not in done.stderr
