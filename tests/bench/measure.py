"""Processes measured from start to end, and lanes run in strict alternation.

Only the standard library, and little of it: the peak RSS that wait4 reports of a child is never less than that of the process it was
forked from, so the process that measures must stay small.
"""
import dataclasses
import hashlib
import json
import os
import pathlib
import time


class LaneFailed(Exception):
    """A lane's process ended with an exit code other than 0, or its results changed between runs."""


@dataclasses.dataclass(frozen=True)
class Lane:
    """One command. `inner`: its standard output is JSON whose `seconds` counts instead of the whole process.
    `outputs`: files it writes, which must be the same bytes in every run; `written`: those that are only removed before each run.
    `steady`: keys of its JSON that must be equal in every run."""
    name: str
    command: tuple
    inner: bool = False
    outputs: tuple = ()
    written: tuple = ()
    steady: tuple = ()


@dataclasses.dataclass
class Run:
    """seconds: what counts (see Lane.inner); wall, user, system: of the whole process."""
    seconds: float
    wall: float
    user: float
    system: float
    peak_rss_bytes: int
    said: dict = dataclasses.field(default_factory=dict)

    def as_json(self):
        return {"seconds": self.seconds, "wall": self.wall, "user": self.user, "system": self.system, "peak_rss_bytes": self.peak_rss_bytes}


def fill_page_cache(path):
    """Reads the file anew, so that it is cached as by any program that reads it: what its writer left is in small pages, copied at half
    the speed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        while os.read(descriptor, 1 << 20):
            pass
    finally:
        os.close(descriptor)


def run_once(lane, work):
    """Runs the lane's command, its outputs not there; its standard output and error go to files in the folder `work`."""
    for path in (*lane.outputs, *lane.written):
        pathlib.Path(path).unlink(missing_ok=True)
    stdout, stderr = (str(pathlib.Path(work, f"{lane.name}.{stream}")) for stream in ("stdout", "stderr"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [(os.POSIX_SPAWN_OPEN, 1, stdout, flags, 0o644), (os.POSIX_SPAWN_OPEN, 2, stderr, flags, 0o644)]
    start = time.perf_counter()
    child = os.posix_spawn(lane.command[0], lane.command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        complaint = pathlib.Path(stderr).read_text(encoding="utf-8", errors="replace").strip()[-600:]
        raise LaneFailed(f"{lane.name}: exit {code}: {' '.join(lane.command)}\n{complaint}")
    said = json.loads(pathlib.Path(stdout).read_text(encoding="utf-8")) if lane.inner or lane.steady else {}
    return Run(said["seconds"] if lane.inner else wall, wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024, said)


def fingerprint(lane, run):
    """What must not change between runs of the lane."""
    files = [hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() for path in lane.outputs]
    return files, {key: run.said.get(key) for key in lane.steady}


def warm_up(lanes, work):
    """One run of each that does not count: fills the page cache, leaves the outputs to be checked. Returns {name: (run, fingerprint)}."""
    found = {}
    for lane in lanes:
        run = run_once(lane, work)
        found[lane.name] = (run, fingerprint(lane, run))
    return found


def alternate(lanes, rounds, work, expected, note=lambda text: None):
    """`rounds` times each lane in turn: A B C A B C ... Returns {name: [runs]}. `expected`: what warm_up returned."""
    runs = {lane.name: [] for lane in lanes}
    for number in range(rounds):
        for lane in lanes:
            note(f"round {number + 1} of {rounds}: {lane.name}")
            run = run_once(lane, work)
            if fingerprint(lane, run) != expected[lane.name][1]:
                raise LaneFailed(f"{lane.name}: results of round {number + 1} differ from those that were checked")
            runs[lane.name].append(run)
    return runs
