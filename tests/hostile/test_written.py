"""The h5ad that `-o` writes: there when all went well, and only then; never instead of an input, never half a file."""
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import anndata
import h5py
import pytest

from hostile.bases import base
from hostile.table import run

KILLS = 20
# Words of a run of each verb that writes, and what makes it slow.
VERBS = {
    "qc": ([], ["--chunk-nnz", "1", "--moments"]),
    "normalize": (["--counts-layer", "counts"], ["--chunk-nnz", "1"]),
    "filter": (["--min-genes", "1", "--min-cells", "1"], ["--chunk-nnz", "1"]),
}
every_verb = pytest.mark.parametrize("verb", VERBS)


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    """A file that takes some tenths of a second."""
    path = tmp_path_factory.mktemp("counts") / "input.h5ad"
    subprocess.run([quern_bin, "generate", path, "--preset", "pbmc3k", "--cells", "2000", "-q"], check=True, timeout=120)
    return path


def words_for(path, out, *more, verb="qc"):
    return [verb, str(path), "-o", str(out), "--no-provenance", "-q", *VERBS[verb][0], *more]


def slow_words_for(path, out, verb):
    return words_for(path, out, *VERBS[verb][1], "-t", "1", verb=verb)


@every_verb
def test_killed_at_any_moment(quern_bin, counts, tmp_path, verb):
    """The target is not there, or the old file as it was; the part that is left is named by the next run."""
    target = tmp_path / "out" / "out.h5ad"
    target.parent.mkdir()
    start = time.monotonic()
    subprocess.run([quern_bin, *words_for(counts, target, verb=verb)], check=True, timeout=60)
    length, whole = time.monotonic() - start, target.read_bytes()
    moments = random.Random(7)
    for turn in range(KILLS):
        keeps_old = turn % 2 == 0
        before = whole if keeps_old else None
        if not keeps_old:
            target.unlink(missing_ok=True)
        else:
            target.write_bytes(whole)
        process = subprocess.Popen([quern_bin, *words_for(counts, target, "--force", verb=verb)], stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, length))
        process.kill()
        process.wait(timeout=20)
        found = target.read_bytes() if target.exists() else None
        assert found in (before, whole), f"turn {turn}"
        left = {path.name for path in target.parent.iterdir()} - {"out.h5ad"}
        assert all(name.startswith(".out.h5ad.") and name.endswith(".part") for name in left)
    (target.parent / f".out.h5ad.{process.pid}.0000abcd.part").touch()
    done = run(quern_bin, [verb, str(counts), "-o", str(target), "--force", *VERBS[verb][0]], target.parent)
    assert done.status == 0 and "[stale-part]" in done.stderr


@every_verb
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signals_clean_up(quern_bin, counts, tmp_path, number, verb):
    out = tmp_path / "out"
    out.mkdir()
    moments = random.Random(int(number))
    statuses = set()
    for _ in range(10):
        process = subprocess.Popen([quern_bin, *slow_words_for(counts, out / "out.h5ad", verb)], stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.02, 0.3))
        process.send_signal(number)
        sent = time.monotonic()
        statuses.add(process.wait(timeout=20))
        assert time.monotonic() - sent < 1
        (out / "out.h5ad").unlink(missing_ok=True)  # the run was over already
        assert list(out.iterdir()) == []
    assert -number in statuses and statuses <= {0, -number}


def limited(megabytes):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (megabytes << 20, megabytes << 20))

    return limit


@every_verb
@pytest.mark.parametrize("megabytes", [1, 2])
def test_file_size_limit(quern_bin, counts, tmp_path, megabytes, verb):
    """What HDF5 cannot write it may tell only when it flushes or closes."""
    out = tmp_path / "out"
    out.mkdir()
    done = subprocess.run([quern_bin, *words_for(counts, out / "out.h5ad", verb=verb)], preexec_fn=limited(megabytes), capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 4 and ("[write-failed]" in done.stderr or "[disk-full]" in done.stderr), done.stderr
    assert list(out.iterdir()) == []


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@every_verb
def test_small_disk(quern_bin, counts, small_disk, verb):
    """Too small from the start: said before anything is written. Filled while it is written: said then."""
    done = subprocess.run([quern_bin, *words_for(counts, small_disk / "out.h5ad", verb=verb)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4 and "[disk-full]" in done.stderr and "MiB" in done.stderr, done.stderr
    assert list(small_disk.iterdir()) == []
    old = base("modern", small_disk)
    for room in range(0, 200_000, 20_000):
        (small_disk / "filler").write_bytes(b"")
        free = shutil.disk_usage(small_disk).free
        (small_disk / "filler").write_bytes(bytes(max(0, free - room)))
        done = subprocess.run([quern_bin, *words_for(old, small_disk / "out.h5ad", verb=verb)], capture_output=True, text=True, timeout=60)
        left = {path.name for path in small_disk.iterdir()} - {"filler", "input.h5ad"}
        assert (done.returncode, left) in ((4, set()), (0, {"out.h5ad"})), (room, done.stderr, left)
        if left:
            anndata.read_h5ad(small_disk / "out.h5ad")
            (small_disk / "out.h5ad").unlink()


@every_verb
def test_input_is_never_replaced(quern_bin, tmp_path, verb):
    path = base("modern", tmp_path)
    (tmp_path / "folder").mkdir()
    os.link(path, tmp_path / "hard.h5ad")
    (tmp_path / "soft.h5ad").symlink_to(path)
    before = path.read_bytes()
    for name in (path, f"{tmp_path}/./input.h5ad", f"{tmp_path}/folder/../input.h5ad", tmp_path / "hard.h5ad", tmp_path / "soft.h5ad"):
        done = run(quern_bin, [verb, str(path), "-o", str(name), "--force", *VERBS[verb][0]], tmp_path / "out")
        assert done.status == 4 and "[same-file]" in done.stderr, done.stderr
    assert path.read_bytes() == before


def test_existing_files_need_force(quern_bin, tmp_path):
    path, target = base("modern", tmp_path), tmp_path / "there.h5ad"
    target.write_text("mine")
    target.chmod(0o640)
    done = run(quern_bin, words_for(path, target), tmp_path / "out")
    assert done.status == 4 and "[exists]" in done.stderr and target.read_text() == "mine"
    done = run(quern_bin, words_for(path, target, "--force"), tmp_path / "out")
    assert done.status == 0, done.stderr
    assert anndata.read_h5ad(target).n_obs > 0 and target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("target, code", [("-", "stdout-output"), ("out.h5", "unknown-extension"), ("/dev/null.h5ad", ""), ("no/out.h5ad", "no-such-folder")])
def test_targets_that_cannot_be(quern_bin, tmp_path, target, code):
    path = base("modern", tmp_path)
    place = target if target.startswith(("-", "/")) else str(tmp_path / target)
    if place == "/dev/null.h5ad":
        (tmp_path / "device.h5ad").symlink_to("/dev/null")
        place, code = str(tmp_path / "device.h5ad"), "not-a-file"
    done = run(quern_bin, ["qc", str(path), "-o", place], tmp_path / "out")
    assert done.status in (2, 4) and f"[{code}]" in done.stderr, done.stderr


@every_verb
def test_input_that_changes(quern_bin, counts, tmp_path, verb):
    """Noticed at the end at the latest: no output."""
    path = tmp_path / "input.h5ad"
    shutil.copy(counts, path)
    process = subprocess.Popen([quern_bin, *slow_words_for(path, tmp_path / "out.h5ad", verb)], stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        os.utime(path)
        time.sleep(0.003)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 3 and "[changed]" in stderr, stderr
    assert not (tmp_path / "out.h5ad").exists()


@every_verb
def test_dry_run_writes_nothing(quern_bin, tmp_path, verb):
    path = base("modern", tmp_path)
    done = run(quern_bin, [verb, str(path), "-o", str(tmp_path / "out" / "out.h5ad"), "--dry-run", *VERBS[verb][0]], tmp_path / "out")
    assert done.status == 0 and "out.h5ad" in done.stdout and done.left == {}


@every_verb
def test_hdf5_of_old_reads_it(quern_bin, tmp_path, verb):
    """Nothing newer than the first version of the format."""
    path = base("modern", tmp_path)
    run(quern_bin, words_for(path, tmp_path / "out.h5ad", verb=verb), tmp_path / "out")
    with h5py.File(tmp_path / "out.h5ad") as file:
        assert file.libver[0] == "earliest"
    assert (tmp_path / "out.h5ad").read_bytes()[8] == 0  # version of the superblock
