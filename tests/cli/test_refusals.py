"""Words and objects that one command or another refuses by name."""
import signal
import socket
import subprocess
import time

import h5py
import numpy as np
import pytest

from support.program import run


@pytest.fixture(scope="module")
def odd(tmp_path_factory, fixtures_dir):
    """A good file with elements that cannot be shown."""
    path = tmp_path_factory.mktemp("odd") / "odd.h5ad"
    path.write_bytes((fixtures_dir / "modern.h5ad").read_bytes())
    with h5py.File(path, "r+") as root:
        rope = root.create_group("uns/rope")
        rope.attrs["encoding-type"], rope.attrs["encoding-version"] = "rope", "0.1.0"
        root["uns/type"] = np.dtype("f4")
        for name, shape in (("wide", (2, 200, 200)), ("without-end", (0, 8, 2**61))):
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((1, 1, 100))
            h5py.h5d.create(root["uns"].id, name.encode(), h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple(shape, (h5py.h5s.UNLIMITED,) * 3), creation)
    return path


@pytest.mark.parametrize("element, code, says", [("rope", "unknown-encoding", "rope"), ("type", "bad-type", "neither a group nor a dataset"),
                                                 ("wide", "too-many-columns", "3 dimensions"), ("without-end", "too-many-columns", "3 dimensions")])
def test_elements_that_cannot_be_shown(quern_bin, odd, element, code, says):
    done = run(quern_bin, "show", odd, f"uns/{element}", expect=3)
    assert f"[{code}]" in done.stderr and says in done.stderr


def test_layer_and_object(quern_bin, odd):
    assert "[two-choices]" in run(quern_bin, "show", odd, "obs", "--layer", "raw", expect=2).stderr
    run(quern_bin, "show", odd, "X", "--layer", "X", "--rows", ":1")


def test_matrix_directories_hold_nothing_else(quern_bin, fixtures_dir):
    assert "[missing-object]" in run(quern_bin, "show", fixtures_dir / "mtx-new", "uns", expect=3).stderr


@pytest.mark.parametrize("words, code", [(["--genome", "mm10"], "no-genomes"), (["--feature-type", "Antibody Capture"], "no-such-feature-type")])
def test_matrix_directories_that_tell_no_kinds(quern_bin, fixtures_dir, words, code):
    assert f"[{code}]" in run(quern_bin, "qc", fixtures_dir / "mtx-old", *words, expect=2).stderr
    run(quern_bin, "qc", fixtures_dir / "mtx-old", "--feature-type", "Gene Expression")


@pytest.mark.parametrize("words, code", [(["--genome", "mm10"], "no-genomes"), (["--feature-type", "Antibody Capture"], "no-such-feature-type")])
def test_h5ad_tells_no_kinds(quern_bin, fixtures_dir, words, code):
    assert f"[{code}]" in run(quern_bin, "qc", fixtures_dir / "modern.h5ad", *words, expect=2).stderr
    run(quern_bin, "qc", fixtures_dir / "modern.h5ad", "--feature-type", "all")


def test_generate_needs_a_preset(quern_bin, tmp_path):
    assert "[missing-option]" in run(quern_bin, "generate", tmp_path / "a.h5ad", expect=2).stderr


def test_log_file_that_cannot_be_opened(quern_bin, tmp_path):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        assert "open the log file" in run(quern_bin, "doctor", "--log-file", tmp_path / "socket", expect=4).stderr


def test_trouble_of_our_own_is_no_finding(quern_bin, tmp_path):
    """A check that cannot sort ends; it does not say that the file is wrong."""
    cells, genes = 20_000, 50
    (tmp_path / "matrix").mkdir()
    with open(tmp_path / "matrix" / "matrix.mtx", "w", encoding="ascii") as file:
        print(f"%%MatrixMarket matrix coordinate integer general\n{genes} {cells} {cells * genes}", file=file)
        for gene in range(1, genes + 1):
            file.writelines(f"{gene} {cell} 1\n" for cell in range(1, cells + 1))
    words = ["check", tmp_path / "matrix", "--deep", "-m", "6MiB", "--tmp-dir"]
    assert "[tmp-failed]" in run(quern_bin, *words, tmp_path / "absent", expect=4).stderr
    run(quern_bin, *words, tmp_path)


def seconds_to_stop(binary, *words):
    """From the signal to the end of a run that would go on for some seconds; None when it was over before."""
    process = subprocess.Popen([binary, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    status = process.wait(timeout=60)
    return time.monotonic() - sent if status == -signal.SIGINT else None


@pytest.fixture(scope="module")
def large(quern_bin, tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.h5ad"
    run(quern_bin, "generate", path, "--preset", "pbmc3k", "--cells", 40_000, "-q")
    return path


@pytest.mark.parametrize("verb", ["check", "generate"])
def test_stops_at_once(quern_bin, large, tmp_path, verb):
    """Without waiting for the alarm that ends a run half a second after the signal; a busy machine may make some tries late, not all."""
    words = {"check": ["check", large, large, large, "--deep", "-q"],
             "generate": ["generate", tmp_path / "a.h5ad", "--preset", "pbmc3k", "--cells", 400_000, "-q"]}[verb]
    times = []
    for _ in range(8):
        times.append(seconds_to_stop(quern_bin, *words))
        if times[-1] is not None and times[-1] < 0.4:
            return
    assert False, times
