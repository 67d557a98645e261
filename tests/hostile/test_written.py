"""What is written: there when all went well, and only then; never instead of an input, never half a file."""
import os
import random
import resource
import shutil
import signal
import subprocess
import time

import h5py
import pytest

from hostile.bases import base
from hostile.cases_text import directory
from hostile.table import run
from hostile.writers import READERS, WRITERS, at, counts_of, place_old

KILLS = int(os.environ.get("QUERN_KILLS", 20))  # tests/bench/run --kills asks for more
every_writer = pytest.mark.parametrize("name", WRITERS)
long_ones = pytest.mark.parametrize("name", [name for name in WRITERS if WRITERS[name].slow])
every_h5ad = pytest.mark.parametrize("name", [name for name in READERS if WRITERS[name].target.endswith(".h5ad")])


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    """A file that takes some tenths of a second."""
    path = tmp_path_factory.mktemp("counts") / "input.h5ad"
    subprocess.run([quern_bin, "generate", path, "--preset", "pbmc3k", "--cells", "2000", "-q"], check=True, timeout=120)
    return path


def slow_words_for(name, path, target, *more):
    return WRITERS[name].words_for(path, target, *WRITERS[name].slow, *more)


def remove(target):
    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)


def names_in(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def target(tmp_path, name):
    """The writer's, in a folder of its own."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / WRITERS[name].target


@every_writer
def test_killed_at_any_moment(quern_bin, counts, target, name):
    """The target is not there, or the old one as it was; the part that is left is named by the next run."""
    words = slow_words_for(name, counts, target, "--force")
    start = time.monotonic()
    subprocess.run([quern_bin, *words], check=True, timeout=60, stdout=subprocess.DEVNULL)
    length, whole = time.monotonic() - start, at(target)
    moments, met = random.Random(7), set()
    for turn in range(KILLS):
        remove(target)
        before = place_old(target) if turn % 2 else None
        process = subprocess.Popen([quern_bin, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0, length))
        process.kill()
        met.add(process.wait(timeout=20))
        found = at(target)
        assert found in (before, whole), f"turn {turn}"
        parts = names_in(target.parent) - {target.name}
        assert all(part.startswith(f".{target.name}.") and part.endswith(".part") for part in parts), parts
    assert -signal.SIGKILL in met
    (target.parent / f".{target.name}.{process.pid}.0000abcd.part").touch()
    left = names_in(target.parent) - {target.name}
    done = subprocess.run([quern_bin, *(word for word in words if word != "-q")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stderr.count("[stale-part]") == len(left) and all(part in done.stderr for part in left), (left, done.stderr)


@long_ones
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signals_clean_up(quern_bin, counts, target, number, name):
    moments = random.Random(int(number))
    statuses = set()
    for _ in range(10):
        process = subprocess.Popen([quern_bin, *slow_words_for(name, counts, target)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.02, 0.3))
        process.send_signal(number)
        sent = time.monotonic()
        statuses.add(process.wait(timeout=20))
        assert time.monotonic() - sent < 1
        remove(target)  # the run was over already
        assert names_in(target.parent) == set()
    assert -number in statuses and statuses <= {0, -number}


def size_of(target):
    return max(path.stat().st_size for path in ([target] if target.is_file() else target.iterdir()))


@every_writer
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_file_size_limit(quern_bin, counts, target, share, name):
    """What HDF5 cannot write it may tell only when it flushes or closes."""
    words = WRITERS[name].words_for(counts, target, *WRITERS[name].slow[-2:])
    subprocess.run([quern_bin, *words], check=True, capture_output=True, timeout=60)
    limit = int(share * size_of(target))
    remove(target)
    done = subprocess.run([quern_bin, *words], preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 4 and ("[write-failed]" in done.stderr or "[disk-full]" in done.stderr), done.stderr
    assert names_in(target.parent) == set()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True).returncode == 0
    if not mounted:
        pytest.skip("mounting is not allowed here")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("name", [name for name in WRITERS if WRITERS[name].target.startswith(("out.", "folder", "made."))])
def test_small_disk_is_refused(quern_bin, counts, small_disk, name):
    """Too small from the start: said before anything is written."""
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 200_000))
    large = ["--cells", "2000"] if name == "generated" else []
    for more in ([], ["--dry-run"]):
        words = WRITERS[name].words_for(counts, small_disk / WRITERS[name].target, *large, *more)
        done = subprocess.run([quern_bin, *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 4 and "[disk-full]" in done.stderr and "the output needs about" in done.stderr, done.stderr
    assert names_in(small_disk) == {"filler"}


@every_writer
def test_small_disk_fills_up(quern_bin, small_disk, tmp_path, name):
    """Said when it is found out; half a file never stays."""
    source, target = counts_of(tmp_path), small_disk / WRITERS[name].target
    words = WRITERS[name].words_for(source, target, *WRITERS[name].small)
    subprocess.run([quern_bin, *words], check=True, capture_output=True, timeout=60)
    whole, statuses = at(target), set()
    needed = sum(path.stat().st_size for path in ([target] if target.is_file() else target.iterdir()))
    remove(target)
    for room in range(0, needed + 40_000, max(4096, needed // 8)):
        (small_disk / "filler").write_bytes(b"")
        (small_disk / "filler").write_bytes(bytes(max(0, shutil.disk_usage(small_disk).free - room)))
        done = subprocess.run([quern_bin, *words], capture_output=True, text=True, timeout=60)
        statuses.add(done.returncode)
        assert (done.returncode, at(target)) in ((4, None), (0, whole)), (room, done.stderr)
        assert names_in(small_disk) - {"filler", target.name} == set()
        remove(target)
    assert statuses == {0, 4}


@pytest.mark.parametrize("name", READERS)
def test_input_is_never_replaced(quern_bin, tmp_path, name):
    path = counts_of(tmp_path)
    folder = tmp_path / WRITERS[name].target
    ending = "" if name == "mtx" else "".join(folder.suffixes)
    path = path.rename(tmp_path / f"input{ending}")
    (tmp_path / "folder").mkdir(exist_ok=True)
    os.link(path, tmp_path / f"hard{ending}")
    (tmp_path / f"soft{ending}").symlink_to(path)
    before = path.read_bytes()
    aliases = [path, f"{tmp_path}/./{path.name}", f"{tmp_path}/folder/../{path.name}", tmp_path / f"hard{ending}", tmp_path / f"soft{ending}"]
    for alias in aliases:
        done = run(quern_bin, WRITERS[name].words_for(path, alias, "--force"), tmp_path / "out")
        assert done.status == 4 and ("[same-file]" in done.stderr or name == "mtx" and "[not-a-folder]" in done.stderr), done.stderr
    assert path.read_bytes() == before


def test_folder_of_the_input_is_never_replaced(quern_bin, tmp_path):
    path = directory(compressed=True)(tmp_path)
    (tmp_path / "soft").symlink_to(path)
    before = at(path)
    for alias in (path, f"{path}/", f"{path}/../{path.name}", tmp_path / "soft"):
        done = run(quern_bin, WRITERS["mtx"].words_for(path, alias, "--force"), tmp_path / "out")
        assert done.status == 4 and "[same-file]" in done.stderr, done.stderr
    assert at(path) == before


@every_writer
def test_existing_targets_need_force(quern_bin, target, name):
    old = place_old(target)
    target.chmod(0o750)
    words = WRITERS[name].words_for(counts_of(target.parent.parent), target, *WRITERS[name].small)
    done = run(quern_bin, words, target.parent)
    assert done.status == 4 and "[exists]" in done.stderr and at(target) == old, done.stderr
    done = run(quern_bin, [*words, "--force"], target.parent)
    assert done.status == 0 and at(target) != old and target.stat().st_mode & 0o777 == 0o750, done.stderr


@long_ones
def test_target_that_appears(quern_bin, counts, target, name):
    """Made by somebody else while the output is written: not replaced without --force."""
    process = subprocess.Popen([quern_bin, *slow_words_for(name, counts, target)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not list(target.parent.glob(".*.part")):
        time.sleep(0.001)
    theirs = place_old(target)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 4 and "[exists]" in stderr, stderr
    assert at(target) == theirs and names_in(target.parent) == {target.name}


@pytest.mark.parametrize("word, code", [("-", "stdout-output"), ("out.h5", "unknown-extension"), ("/dev/null.h5ad", ""), ("no/out.h5ad", "no-such-folder")])
def test_targets_that_cannot_be(quern_bin, tmp_path, word, code):
    path = base("modern", tmp_path)
    place = word if word.startswith(("-", "/")) else str(tmp_path / word)
    if place == "/dev/null.h5ad":
        (tmp_path / "device.h5ad").symlink_to("/dev/null")
        place, code = str(tmp_path / "device.h5ad"), "not-a-file"
    done = run(quern_bin, ["qc", str(path), "-o", place], tmp_path / "out")
    assert done.status in (2, 4) and f"[{code}]" in done.stderr, done.stderr


@pytest.mark.parametrize("name", [name for name in READERS if WRITERS[name].slow])
def test_input_that_changes(quern_bin, counts, target, name):
    """Noticed at the end at the latest: no output."""
    path = target.parent.parent / "input.h5ad"
    shutil.copy(counts, path)
    process = subprocess.Popen([quern_bin, *slow_words_for(name, path, target)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        os.utime(path)
        time.sleep(0.003)
    stderr = process.communicate(timeout=60)[1]
    assert process.returncode == 3 and "[changed]" in stderr, stderr
    assert names_in(target.parent) == set()


@every_h5ad
def test_dry_run_writes_nothing(quern_bin, tmp_path, name):
    words = [word for word in WRITERS[name].words_for(counts_of(tmp_path), tmp_path / "out" / "out.h5ad", "--dry-run") if word != "-q"]
    before = names_in(tmp_path)
    done = run(quern_bin, words, tmp_path / "out")
    assert done.status == 0 and "out.h5ad" in done.stdout and done.left == {}
    assert names_in(tmp_path) - {"out"} == before


@pytest.mark.parametrize("name", [name for name in WRITERS if WRITERS[name].target.startswith(("out.", "folder", "made."))])
def test_dry_run_looks_at_the_target(quern_bin, target, name):
    old = place_old(target)
    words = WRITERS[name].words_for(counts_of(target.parent.parent), target, *WRITERS[name].small, "--dry-run")
    done = run(quern_bin, words, target.parent)
    assert done.status == 4 and "[exists]" in done.stderr and at(target) == old, done.stderr


@every_h5ad
def test_hdf5_of_old_reads_it(quern_bin, tmp_path, name):
    """Nothing newer than the first version of the format."""
    path = tmp_path / "out" / "out.h5ad"
    run(quern_bin, WRITERS[name].words_for(counts_of(tmp_path), path), path.parent)
    with h5py.File(path) as file:
        assert file.libver[0] == "earliest"
    assert path.read_bytes()[8] == 0  # version of the superblock
