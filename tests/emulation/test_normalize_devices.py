"""`normalize` on emulated devices: the same file whatever they are; no file when one fails; other bits are found."""
import json

import anndata
import numpy as np
import pytest
import scipy.sparse as sp

from emulation.test_devices import NOTHING_LEFT, larger  # noqa: F401  a fixture
from emulation.test_faults import ERRORS, ILLEGAL_ADDRESS, OUT_OF_MEMORY, SURVIVED
from support.program import run

# Which calls of these kinds make room for the first chunk; those before are the device's, whatever the verb.
PREPARATION = {"create_stream": range(1, 9), "create_event": range(1, 9), "allocate": range(1, 9), "set_device": range(2, 4),
               "pool_bytes": range(1, 9)}
BEFORE = ("device_count", "device_facts", "driver_version", "make_pool", "memory_info")


def normalize(binary, path, out, *arguments, env=None, expect=0):
    words = ["normalize", path, "-o", out, "--force", "--no-provenance", "--json", "-", "-q", "--chunk-nnz", "5000", "-t", "2", *arguments]
    done = run(binary, *words, env=env, expect=expect)
    return done, json.loads(done.stdout)


@pytest.fixture
def expected(emulated_bin, larger, tmp_path):  # noqa: F811
    normalize(emulated_bin, larger, tmp_path / "cpu.h5ad", "--backend", "cpu")
    return (tmp_path / "cpu.h5ad").read_bytes()


@pytest.mark.parametrize("words, arguments", [
    (["devices=2"], ["-t", "4"]),
    (["memory=100"], ["--gpu-memory", "500K", "--chunk-nnz", "40000"]),  # pieces that cut rows
    (["fail=lock_host:1+:2"], []),
    (["fail=allocate:2:2"], []),
    ([], ["--verify", "0.3"]),
], ids=["two-devices", "little-memory", "pageable", "retried", "verified"])
def test_same_bytes_whatever_the_device(larger, words, arguments, emulated_bin, expected, fake_cuda, tmp_path):  # noqa: F811
    fake, out = fake_cuda(*words), tmp_path / "out.h5ad"
    _, report = normalize(emulated_bin, larger, out, "--backend", "cuda", *arguments, env=fake.env)
    assert out.read_bytes() == expected and report["quern"]["backend"] == "cuda"
    log = fake.log()
    assert log["left"] == NOTHING_LEFT and report["run"]["peak_device_bytes"] == log["peak_bytes"] > 0
    assert log["devices_used"] == (2 if "devices=2" in words else 1)
    warnings = [warning["code"] for warning in report["warnings"]]
    assert ("pageable-ring" in warnings) == ("lock_host" in str(words))
    assert ("small-device-buffers" in warnings) == ("allocate" in str(words) or "memory=100" in words)
    assert (report["run"].get("verified_chunks", 0) > 0) == ("--verify" in arguments)


def test_a_wrong_value_is_found(larger, emulated_bin, fake_cuda, tmp_path):  # noqa: F811
    out = tmp_path / "out.h5ad"
    done, _ = normalize(emulated_bin, larger, out, "--backend", "cuda", "--verify", "1", env=fake_cuda("flip=copy_down:3").env, expect=6)
    assert "[verify-failed]" in done.stderr and list(tmp_path.iterdir()) == [tmp_path / "fake-cuda.json"]


def test_every_call_fails_in_turn(larger, emulated_bin, expected, fake_cuda, tmp_path):  # noqa: F811
    fake, out = fake_cuda(), tmp_path / "out.h5ad"
    normalize(emulated_bin, larger, out, "--backend", "cuda", env=fake.env)
    calls = fake.log()["calls"]
    assert {"allocate", "copy_up", "copy_down", "launch", "record_event", "synchronize_event"} <= set(calls)
    complaints = []
    for kind in sorted(set(calls) - set(BEFORE)):
        for nth in sorted({1, 2, calls[kind]}):
            for code in (OUT_OF_MEMORY, ILLEGAL_ADDRESS):
                out.unlink(missing_ok=True)
                fake = fake_cuda(f"fail={kind}:{min(nth, calls[kind])}:{code}")
                survives = code in SURVIVED.get(kind, []) and not (kind == "lock_host" and code == ILLEGAL_ADDRESS)
                retried = code == OUT_OF_MEMORY and nth in PREPARATION.get(kind, [])
                wanted = (0, None) if survives or retried else ERRORS[code]
                done, report = normalize(emulated_bin, larger, out, "--backend", "cuda", env=fake.env, expect=wanted[0])
                right = out.read_bytes() == expected if wanted[0] == 0 else report["error"]["code"] == wanted[1] and not out.exists()
                if not right or any(fake.log()["left"].values()):
                    complaints.append(f"{kind} {nth}, error {code}: {done.stderr}")
    assert complaints == []


def test_auto_falls_back_before_the_first_chunk(larger, emulated_bin, expected, fake_cuda, tmp_path):  # noqa: F811
    out = tmp_path / "out.h5ad"
    _, report = normalize(emulated_bin, larger, out, env=fake_cuda(f"fail=create_stream:1:{ILLEGAL_ADDRESS}").env)
    assert report["quern"]["backend"] == "cpu" and "fell-back" in [warning["code"] for warning in report["warnings"]]
    assert out.read_bytes() == expected
    out.unlink()
    normalize(emulated_bin, larger, out, env=fake_cuda(f"fail=launch:1:{ILLEGAL_ADDRESS}").env, expect=6)
    assert not out.exists()


def test_a_zero_keeps_its_sign(emulated_bin, tmp_path):
    path, out = tmp_path / "zeros.h5ad", tmp_path / "out.h5ad"
    anndata.AnnData(sp.csr_matrix((np.array([-0.0, 3, 0, 7], "f4"), [0, 1, 0, 2], [0, 2, 4]), shape=(2, 3))).write_h5ad(path)
    normalize(emulated_bin, path, out, "--backend", "cuda", "--no-log1p")
    assert list(np.signbit(anndata.read_h5ad(out).X.data)) == [True, False, False, False]
