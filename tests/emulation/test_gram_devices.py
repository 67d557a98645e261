"""`gram` on an emulated device: the processor's numbers, nothing left behind, and what is said where it cannot be had."""
import json

import numpy as np
import pytest

from emulation.test_devices import NOTHING_LEFT, larger  # noqa: F401  a fixture
from emulation.test_faults import ERRORS, ILLEGAL_ADDRESS, OUT_OF_MEMORY
from support.program import run


def gram(binary, path, out, *arguments, env=None, expect=0):
    words = ["gram", path, "-o", out, "--force", "--json", "-", "-q", "--chunk-nnz", "5000", "-t", "2", *arguments]
    done = run(binary, *words, env=env, expect=expect)
    return done, json.loads(done.stdout)


@pytest.fixture
def genes(tmp_path, emulated_bin, larger):  # noqa: F811
    """Sixty of the genes: the fake's multiplication is a plain loop."""
    names = run(emulated_bin, "show", larger, "var", "-q").stdout.splitlines()[1:]
    (tmp_path / "genes.txt").write_text("\n".join(line.split("\t")[0] for line in names[3:183:3]) + "\n", encoding="utf-8")
    return ["--genes", f"@{tmp_path / 'genes.txt'}"]


def test_of_counts_the_same_bytes(larger, genes, emulated_bin, fake_cuda, tmp_path):  # noqa: F811
    out = tmp_path / "out.npy"
    _, expected = gram(emulated_bin, larger, out, *genes, "--backend", "cpu")
    products = out.read_bytes()
    for words, arguments in (([], []), (["devices=2"], ["--chunk-nnz", "900"]), ([], ["--verify", "1"]), (["fail=lock_host:1+:2"], [])):
        fake = fake_cuda(*words)
        _, report = gram(emulated_bin, larger, out, *genes, "--backend", "cuda", *arguments, env=fake.env)
        assert out.read_bytes() == products and report["digest"] == expected["digest"] and report["result"]["exact"]
        assert report["quern"]["backend"] == "cuda" and report["run"]["peak_device_bytes"] > 0 and report["run"]["bytes_to_device"] > 0
        assert (report["run"].get("verified_chunks", 0) > 0) == ("--verify" in arguments)
        assert fake.log()["left"] == NOTHING_LEFT


def test_of_logarithms_near_and_the_same_again(larger, genes, emulated_bin, fake_cuda, tmp_path):  # noqa: F811
    found = {}
    for backend in ("cpu", "cuda"):
        report = [gram(emulated_bin, larger, tmp_path / f"{backend}.npy", *genes, "--on", "log1p:1e4", "--kind", "corr", "--backend", backend,
                       "--chunk-nnz", chunk, env=fake_cuda().env)[1] for chunk in ("700", "5000")]
        assert report[0]["digest"] == report[1]["digest"]
        found[backend] = np.load(tmp_path / f"{backend}.npy")
    np.testing.assert_allclose(found["cuda"], found["cpu"], rtol=0, atol=1e-12)


def test_a_wrong_product_is_found(larger, genes, emulated_bin, fake_cuda, tmp_path):  # noqa: F811
    done, _ = gram(emulated_bin, larger, tmp_path / "out.npy", *genes, "--backend", "cuda", "--verify", "1", env=fake_cuda("flip=copy_down:1").env,
                   expect=6)
    assert "[verify-failed]" in done.stderr and not (tmp_path / "out.npy").exists()


def test_without_cublas(larger, genes, emulated_bin, fake_cuda, tmp_path):  # noqa: F811
    env, out = fake_cuda("libraries=none").env, tmp_path / "out.npy"
    done, _ = gram(emulated_bin, larger, out, *genes, "--backend", "cuda", env=env, expect=6)
    assert "[no-cublas]" in done.stderr and "libcublas" in done.stderr and not out.exists()
    _, report = gram(emulated_bin, larger, out, *genes, env=env)
    assert report["quern"]["backend"] == "cpu" and "fell-back" in [warning["code"] for warning in report["warnings"]]
    run(emulated_bin, "qc", larger, "--backend", "cuda", env=env)


def test_every_call_fails_in_turn(larger, genes, emulated_bin, fake_cuda, tmp_path):  # noqa: F811
    fake, out = fake_cuda(), tmp_path / "out.npy"
    gram(emulated_bin, larger, out, *genes, "--backend", "cuda", env=fake.env)
    calls = fake.log()["calls"]
    assert {"allocate", "copy_up", "copy_down", "launch", "dense_create", "dense_use", "add_products", "clear"} <= set(calls)
    complaints = []
    for kind in ("allocate", "copy_up", "copy_down", "launch", "dense_create", "dense_use", "add_products", "clear", "create_stream", "create_event",
                 "record_event", "synchronize_event", "synchronize_stream", "pool_bytes", "set_device"):
        for nth in sorted({1, 2, calls[kind]}):
            for code in (OUT_OF_MEMORY, ILLEGAL_ADDRESS):
                out.unlink(missing_ok=True)
                fake = fake_cuda(f"fail={kind}:{min(nth, calls[kind])}:{code}")
                # The last wait is the destructor's, which has nobody to tell.
                wanted = (0, None) if kind == "synchronize_stream" and min(nth, calls[kind]) == calls[kind] else ERRORS[code]
                done, report = gram(emulated_bin, larger, out, *genes, "--backend", "cuda", env=fake.env, expect=wanted[0])
                right = out.exists() if wanted[0] == 0 else report["error"]["code"] == wanted[1] and not out.exists()
                if not right or any(fake.log()["left"].values()):
                    complaints.append(f"{kind} {nth}, error {code}: {done.stderr}")
    assert complaints == []
