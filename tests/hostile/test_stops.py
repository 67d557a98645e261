"""Runs that are stopped or cannot write: by a signal at any moment, a full disk, a folder that may not be written, a reader that went away."""
import os
import random
import signal
import subprocess
import time

import pytest

from hostile.bases import base, damaged, flip_at, in_chunk
from hostile.table import command_of, judge, run

MOMENTS = 12  # of each signal
LONG = 2.5    # seconds: more than any moment, even if the machine is twice as fast the next time


@pytest.fixture(scope="module")
def long_run(quern_bin, tmp_path_factory):
    """Words that keep the program busy for some seconds on this machine, and for how many."""
    path = tmp_path_factory.mktemp("long") / "input.h5ad"
    words = ["qc", str(path), "--chunk-nnz", "1", "--moments", "-t", "1"]
    cells = 60_000
    while True:
        subprocess.run([quern_bin, "generate", path, "--preset", "pbmc3k", "--cells", str(cells), "-q", "--force"], check=True, timeout=120)
        start = time.monotonic()
        subprocess.run([quern_bin, *words, "-q"], check=True, capture_output=True, timeout=120)
        length = time.monotonic() - start
        if length > LONG:
            return words, length
        cells = int(cells * 1.2 * LONG / length)


def stop_at(binary, words, out, number, seconds):
    """Starts a run, sends the signal after so many seconds; (exit status, seconds it took to end)."""
    out.mkdir(exist_ok=True)
    outputs = ["--cells-out", out / "cells.tsv.gz", "--genes-out", out / "genes.tsv", "--json", out / "report.json"]
    process = subprocess.Popen([binary, *words, *map(str, outputs)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               restore_signals=True)
    time.sleep(seconds)
    process.send_signal(number)
    sent = time.monotonic()
    stdout, stderr = process.communicate(timeout=20)
    return process.returncode, time.monotonic() - sent, stdout, stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_signal_at_any_moment(quern_bin, long_run, tmp_path, number):
    words, length = long_run
    moments = random.Random(int(number))
    for turn in range(MOMENTS):
        # Some while the file is opened, most while it is read; early enough for a machine that is twice as fast today.
        seconds = moments.uniform(0.03, 0.1) if turn < 3 else moments.uniform(0.1, min(length / 2, 1))
        status, late, stdout, stderr = stop_at(quern_bin, words, tmp_path / "out", number, seconds)
        assert status == -number, (seconds, status, stderr)
        assert late < 1, f"ended {late:.2f} s after the signal that came at {seconds:.2f} s"
        assert stdout == b"" and b"error" not in stderr, (stdout, stderr)
        assert list((tmp_path / "out").iterdir()) == [], seconds


def test_ignored_signals_stay_ignored(quern_bin, tmp_path):
    """As under nohup."""
    path = base("modern", tmp_path)
    command = f"trap '' HUP; {quern_bin} qc {path} --json {tmp_path}/report.json & sleep 0.01; kill -HUP $!; wait $!"
    assert subprocess.run(["sh", "-c", command], capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize("option", ["--cells-out", "--genes-out", "--json"])
def test_full_disk(quern_bin, tmp_path, option):
    path = base("modern", tmp_path)
    done = run(quern_bin, ["qc", path, option, "/dev/full"], tmp_path / "out")
    assert done.status == 4 and "[disk-full]" in done.stderr and "/dev/full" in done.stderr, done.stderr
    assert done.stdout == "" and done.left == {}


@pytest.mark.parametrize("verb", ["qc", "info"])
def test_full_standard_output(quern_bin, tmp_path, verb):
    path = base("modern", tmp_path)
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([quern_bin, verb, path], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 4 and b"[disk-full]" in done.stderr


@pytest.mark.parametrize("option", ["--cells-out", "--genes-out", "--json"])
def test_folder_without_permission(binary_for_all, folder, option):
    path = base("modern", folder)
    closed = folder / "closed"
    closed.mkdir(mode=0o555)
    as_nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    done = run(binary_for_all, ["qc", path, option, closed / "output"], folder / "out", **as_nobody)
    assert done.status == 4 and "[not-writable]" in done.stderr and str(closed / "output") in done.stderr, done.stderr
    assert done.stdout == "" and done.left == {} and list(closed.iterdir()) == []


@pytest.mark.parametrize("option", ["--cells-out", "--genes-out", "--json"])
def test_input_is_never_an_output(quern_bin, tmp_path, option):
    path = base("modern", tmp_path)
    before = path.read_bytes()
    os.link(path, tmp_path / "same")
    (tmp_path / "link").symlink_to(path)
    for name in (path, tmp_path / "same", tmp_path / "link"):
        done = run(quern_bin, ["qc", path, option, name, "--force"], tmp_path / "out")
        assert done.status == 4 and "[same-file]" in done.stderr, done.stderr
        assert path.read_bytes() == before


@pytest.mark.parametrize("words", ["qc INPUT --cells-out -", "qc INPUT --json - -q", "info INPUT", "info INPUT --tree"])
def test_reader_that_goes_away(quern_bin, long_run, words):
    """The table is larger than a pipe holds, the others are not."""
    command = f"set -o pipefail; {quern_bin} {words.replace('INPUT', long_run[0][1])} | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60, text=True)
    line, status = done.stdout.splitlines()
    assert done.stderr == "" and line and int(status) in (0, 4), done
    assert int(status) == 4 or "--cells-out" not in words


def test_error_of_the_input_beats_outputs(quern_bin, tmp_path):
    """Tables that were begun vanish when the matrix turns out to be damaged."""
    path = damaged("modern", flip_at(in_chunk("X/data", 2, 12)))(tmp_path)
    words = command_of("qc", path, tmp_path / "out")
    judge(run(quern_bin, [*words, "--chunk-nnz", "1"], tmp_path / "out"), "qc", path, "corrupt-chunk", "", "/X/data")
