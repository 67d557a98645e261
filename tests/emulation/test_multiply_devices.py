"""`multiply` on emulated devices: the processor's bits whatever they are; no file when one fails; other bits are found."""
import json
import subprocess

import anndata
import numpy as np
import pytest
import scipy.sparse as sp

from conformance.test_multiply import CASES, FIXTURES, factor
from emulation.test_devices import NOTHING_LEFT
from emulation.test_faults import ERRORS, ILLEGAL_ADDRESS, OUT_OF_MEMORY, SURVIVED
from support.program import run

N_CELLS, N_GENES, WIDTH = 200, 260, 37
# Which calls of these kinds make room for the first chunk; those before are the device's, whatever the verb.
PREPARATION = {"create_stream": range(1, 9), "create_event": range(1, 9), "allocate": range(1, 9)}
BEFORE = ("device_count", "device_facts", "driver_version", "make_pool", "memory_info", "set_device", "pool_bytes")
TRANSPOSED = pytest.mark.parametrize("transposed", [False, True], ids=["straight", "transposed"])


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder, random = tmp_path_factory.mktemp("multiply"), np.random.default_rng(8)
    x = sp.random(N_CELLS, N_GENES, density=0.15, random_state=random, data_rvs=lambda n: random.geometric(0.3, n)).tocsr().astype("f4")
    x.data[::911] = 300_000  # escapes
    x.data[x.indptr[7]:x.indptr[8]] = 0
    x.eliminate_zeros()
    anndata.AnnData(x).write_h5ad(folder / "in.h5ad")
    np.save(folder / "genes.npy", random.normal(size=(N_GENES, WIDTH)).astype("f4"))
    np.save(folder / "cells.npy", random.normal(size=(N_CELLS, WIDTH)))
    return folder


def words_of(inputs, out, transposed, *arguments):
    how = ["--by", inputs / "cells.npy", "--transpose"] if transposed else ["--by", inputs / "genes.npy"]
    return ["multiply", inputs / "in.h5ad", *how, "-o", out, "-f", "--json", "-", "-q", "--chunk-nnz", "2000", "-t", "2", *arguments]


def multiply(binary, inputs, out, transposed, *arguments, env=None, expect=0):
    done = run(binary, *words_of(inputs, out, transposed, *arguments), env=env, expect=expect)
    return done, json.loads(done.stdout)


@TRANSPOSED
@pytest.mark.parametrize("words, arguments", [
    ([], []),
    (["devices=2"], ["-t", "4"]),
    (["memory=100"], ["--gpu-memory", "900K", "--chunk-nnz", "40000"]),  # pieces
    (["fail=lock_host:1+:2"], []),
    (["fail=allocate:2:2"], []),
    ([], ["--verify", "0.3"]), ([], ["--verify", "1"]),
    ([], ["--on", "log1p:1e4"]),
], ids=["plain", "two-devices", "little-memory", "pageable", "retried", "verified", "all-verified", "log1p"])
def test_same_bits_whatever_the_device(transposed, words, arguments, inputs, emulated_bin, fake_cuda, tmp_path):
    fake = fake_cuda(*words)
    on = arguments if "--on" in arguments else []
    _, expected = multiply(emulated_bin, inputs, tmp_path / "cpu.npy", transposed, "--backend", "cpu", *on)
    _, report = multiply(emulated_bin, inputs, tmp_path / "gpu.npy", transposed, "--backend", "cuda", *arguments, env=fake.env)
    assert (tmp_path / "gpu.npy").read_bytes() == (tmp_path / "cpu.npy").read_bytes()
    assert report["digest"] == expected["digest"] and report["quern"]["backend"] == "cuda"
    log = fake.log()
    assert log["left"] == NOTHING_LEFT and report["run"]["peak_device_bytes"] == log["peak_bytes"] > 0
    assert log["devices_used"] == (2 if "devices=2" in words and not transposed else 1)
    assert (report["run"].get("verified_chunks", 0) > 0) == ("--verify" in arguments)


@TRANSPOSED
def test_a_wrong_value_is_found(transposed, inputs, emulated_bin, fake_cuda, tmp_path):
    out = tmp_path / "out.npy"
    env = fake_cuda("flip=copy_down:1").env
    done, _ = multiply(emulated_bin, inputs, out, transposed, "--backend", "cuda", "--verify", "1", env=env, expect=6)
    assert "[verify-failed]" in done.stderr and not out.exists()


@TRANSPOSED
def test_every_call_fails_in_turn(transposed, inputs, emulated_bin, fake_cuda, tmp_path):
    fake, out = fake_cuda(), tmp_path / "out.npy"
    multiply(emulated_bin, inputs, out, transposed, "--backend", "cuda", env=fake.env)
    expected, calls, complaints = out.read_bytes(), fake.log()["calls"], []
    assert {"allocate", "copy_up", "copy_down", "launch", "record_event", "synchronize_event", "clear"} <= set(calls)
    for kind in sorted(set(calls) - set(BEFORE)):
        for nth in sorted({1, 2, calls[kind]}):
            for code in (OUT_OF_MEMORY, ILLEGAL_ADDRESS):
                out.unlink(missing_ok=True)
                fake = fake_cuda(f"fail={kind}:{min(nth, calls[kind])}:{code}")
                survives = code in SURVIVED.get(kind, []) and not (kind == "lock_host" and code == ILLEGAL_ADDRESS)
                words = words_of(inputs, out, transposed, "--backend", "cuda")
                done = subprocess.run([emulated_bin, *map(str, words)], capture_output=True, text=True, check=False, env=fake.env, timeout=120)
                report = json.loads(done.stdout)
                if done.returncode == 0:
                    right = out.read_bytes() == expected and (survives or code == OUT_OF_MEMORY)
                else:
                    right = (done.returncode, report["error"]["code"]) == ERRORS[code] and not out.exists()
                if not right or any(fake.log()["left"].values()):
                    complaints.append(f"{kind} {nth}, error {code}: {done.returncode} {done.stderr}")
    assert complaints == []


@TRANSPOSED
def test_auto_falls_back_before_the_first_chunk(transposed, inputs, emulated_bin, fake_cuda, tmp_path):
    out = tmp_path / "out.npy"
    _, expected = multiply(emulated_bin, inputs, out, transposed, "--backend", "cpu")
    _, report = multiply(emulated_bin, inputs, out, transposed, env=fake_cuda(f"fail=create_stream:1:{ILLEGAL_ADDRESS}").env)
    assert report["quern"]["backend"] == "cpu" and "fell-back" in [warning["code"] for warning in report["warnings"]]
    assert report["digest"] == expected["digest"]


@TRANSPOSED
@pytest.mark.parametrize("case", [case for case in CASES if 0 not in (case["n_obs"], case["n_vars"])][::6], ids=lambda case: case["name"])
def test_fixtures(case, transposed, emulated_bin, tmp_path):
    np.save(tmp_path / "b.npy", factor(case["n_obs" if transposed else "n_vars"], 3))
    words = ["multiply", FIXTURES / case["path"], *case["arguments"], "--by", tmp_path / "b.npy", "-o", tmp_path / "o.npy", "-f", "--json", "-", "-q"]
    words += ["--transpose"] if transposed else []
    digests = {json.loads(run(emulated_bin, *words, "--backend", backend).stdout)["digest"] for backend in ("cpu", "cuda")}
    assert len(digests) == 1
