"""The same bits whatever the devices, their memory and what they refuse; and how other bits are found."""
import json
import subprocess

import pytest

from support.program import run

NOTHING_LEFT = {"blocks": 0, "locked": 0, "streams": 0, "events": 0}


def report_of(binary, path, *arguments, env=None):
    return json.loads(run(binary, "qc", path, "--moments", *arguments, "--json", "-", "-q", env=env).stdout)


@pytest.fixture(scope="module")
def larger(emulated_bin, tmp_path_factory):
    path = tmp_path_factory.mktemp("larger") / "larger.h5ad"
    run(emulated_bin, "generate", path, "--preset", "pbmc3k", "--cells", "700", "--genes", "5000", "-q")
    return path


@pytest.mark.parametrize("words, arguments", [
    (["devices=2"], ["-t", "4", "--chunk-nnz", "5000"]),
    (["devices=3"], ["-t", "2", "--chunk-nnz", "20000"]),
    (["memory=100"], ["-t", "4", "--gpu-memory", "1000K"]),  # fewer lanes, then pieces of chunks
    (["pool=500"], ["-t", "4", "--gpu-memory", "1100K"]),  # the pool takes more than the buffers
    (["fail=lock_host:1+:2"], []),  # page-locked memory is refused
    (["fail=allocate:2:2"], []),  # the device has no room at first
    ([], ["--verify", "0.3", "--chunk-nnz", "20000"]),
], ids=["two-devices", "three-devices", "little-memory", "coarse-pool", "pageable", "retried", "verified"])
def test_same_bits_whatever_the_device(larger, words, arguments, emulated_bin, fake_cuda):
    expected = report_of(emulated_bin, larger, "--backend", "cpu")
    fake = fake_cuda(*words)
    found = report_of(emulated_bin, larger, "--backend", "cuda", *arguments, env=fake.env)
    assert found["digest"] == expected["digest"]
    log = fake.log()
    assert log["left"] == NOTHING_LEFT
    assert log["devices_used"] == (int(words[0].split("=")[1]) if "devices=" in str(words) else 1)
    warnings = [warning["code"] for warning in found["warnings"]]
    assert ("pageable-ring" in warnings) == ("lock_host" in str(words))
    assert ("small-device-buffers" in warnings) == ("allocate" in str(words) or "--gpu-memory" in arguments)
    if "--gpu-memory" in arguments:
        assert log["peak_bytes"] <= 1024 * int(arguments[-1][:-1]) and found["run"]["peak_device_bytes"] == log["peak_bytes"]
    if "--verify" in arguments:
        run_facts = found["run"]
        assert 0.3 <= run_facts["verified_chunks"] / run_facts["chunks"] < 0.4


def test_what_the_pool_takes_counts(larger, emulated_bin, fake_cuda):
    done = run(emulated_bin, "qc", larger, "--backend", "cuda", "--gpu-memory", "1M", expect=5, env=fake_cuda("pool=2000").env)
    assert "[device-memory]" in done.stderr and "GPU-e0000000" in done.stderr


def test_traffic_is_told(larger, emulated_bin, fake_cuda):
    told = report_of(emulated_bin, larger, "--backend", "cuda", env=fake_cuda().env)
    values = told["input"]["nnz"]
    assert 3 * values < told["run"]["bytes_to_device"] < 3.1 * values + 100_000  # 16-bit genes and 8-bit counts
    assert 0 < told["run"]["seconds"]["device"] <= told["run"]["seconds"]["compute"]
    assert report_of(emulated_bin, larger, "--backend", "cpu")["run"]["bytes_to_device"] == 0


def test_a_wrong_result_is_found(larger, emulated_bin, fake_cuda, tmp_path):
    done = run(emulated_bin, "qc", larger, "--backend", "cuda", "--verify", "0.1", "--cells-out", tmp_path / "cells.tsv", expect=6,
               env=fake_cuda("flip=copy_down:3").env)
    assert "[verify-failed]" in done.stderr and not (tmp_path / "cells.tsv").exists()


def directory_of(path, n_cells, last_row):
    """Cells of one value each, and a last one of `last_row` values, as a matrix directory of 20,000 genes."""
    path.mkdir()
    entries = [f"8 {cell} 1" for cell in range(1, n_cells)] + [f"{gene} {n_cells} 1" for gene in range(1, last_row + 1)]
    (path / "matrix.mtx").write_text("\n".join(["%%MatrixMarket matrix coordinate integer general", f"20000 {n_cells} {len(entries)}", *entries, ""]))
    (path / "genes.tsv").write_text("".join(f"g{gene}\tg{gene}\n" for gene in range(20000)))
    (path / "barcodes.tsv").write_text("".join(f"c{cell}\n" for cell in range(n_cells)))
    return path


@pytest.mark.parametrize("n_cells", [2001, 2002, 2003])
def test_a_huge_row_behind_short_ones(emulated_bin, fake_cuda, tmp_path, n_cells):
    """Short rows are folded by parts of warps; a huge one is put aside by one part, and the others must meet it there."""
    path = directory_of(tmp_path / "matrix", n_cells, 17000)
    found, expected = (report_of(emulated_bin, path, "-t", "1", "--backend", backend, env=fake_cuda().env) for backend in ("cuda", "cpu"))
    assert found["digest"] == expected["digest"]


def test_every_wrong_download_is_found(emulated_bin, fake_cuda, tmp_path):
    """With every chunk verified nothing that is handed on may be wrong: row results, the table that is compared, the one that is used."""
    path = directory_of(tmp_path / "matrix", 40, 500)
    words = ("qc", path, "--verify", "1", "-t", "1", "--percent-top", "none", "-q", "--json", "-")
    expected = json.loads(run(emulated_bin, *words, "--backend", "cpu").stdout)["digest"]
    n_found = 0
    for number in range(1, 15):
        env = fake_cuda(f"flip=copy_down:{number}").env
        done = subprocess.run([emulated_bin, *map(str, words), "--backend", "cuda"], capture_output=True, text=True, timeout=120, check=False, env=env)
        n_found += done.returncode == 6 and "[verify-failed]" in done.stderr
        assert done.returncode == 6 or json.loads(done.stdout)["digest"] == expected, f"copy {number} was wrong and nobody saw it"
    assert n_found >= 4


def test_selftest(emulated_bin, fake_cuda):
    report = json.loads(run(emulated_bin, "doctor", "--selftest", "--json", "-").stdout)
    assert len(report["result"]["selftest"]) == 5 and all(test["passed"] for test in report["result"]["selftest"])
    unchecked = {**fake_cuda("flip=copy_down:2").env, "QUERN_EMULATION_CHECKED": "0"}
    done = run(emulated_bin, "doctor", "--selftest", "--json", "-", expect=6, env=unchecked)
    assert [test["passed"] for test in json.loads(done.stdout)["result"]["selftest"]].count(False) == 1
