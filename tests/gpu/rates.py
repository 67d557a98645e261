"""How fast? The whole program beside the processor and the link; the kernels beside the device's memory and their peers."""
import json
import pathlib
import shutil
import sys

from checks import generate
from session import Failed, NotRun, tool

ROUNDS = 3
CELLS = 130_000  # and more where there is time
MOST_CELLS = 1_306_127
BYTES_A_CELL = 2000 * 8 * 1.2  # on disk, uncompressed, with some to spare


def lanes(session):
    session.step("checks", "lanes: every contestant's result", run_lanes)
    session.step("checks", "lanes: CuPy", run_cupy)


def run_lanes(session):
    words = ["4000", "1"] if session.quick else ["100000", "7"]
    done = session.run(session.program("quern_gpu_lanes"), *words, limit=150, accept=(0, 1, 6))
    session.results["lanes"] = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0:
        raise Failed(done.stderr.strip() or f"exit {done.returncode}")


def run_cupy(session):
    """A peer, not a part: where it does not work here, that is told and fails nothing."""
    python = shutil.which("python3") or sys.executable
    words = ["4000", "1"] if session.quick else ["100000", "7"]
    done = session.run(python, "-B", pathlib.Path(__file__).with_name("cupy_peer.py"), *words, limit=60, accept=range(-64, 256))
    if done.returncode != 0:
        raise NotRun("there is no CuPy" if done.returncode == 77 else f"CuPy does not work here: {done.stderr[-300:]}")
    session.results["lanes"].append(json.loads(done.stdout))


def figure(session, lane, contestant, name):
    """A figure of the lanes; None where there is none."""
    found = [line.get(name) for line in session.results["lanes"] if line.get("lane") == lane and line.get("contestant") == contestant]
    return found[0] if found else None


def link_rate(session):
    return figure(session, "transfer", "pinned to device", "gb_per_s")


def timed(session, file, backend, *arguments):
    """Least of some runs, figures of the best of them."""
    runs = [session.report("qc", file, "--backend", backend, *arguments, limit=200) for _ in range(1 if session.quick else ROUNDS)]
    best = min(runs, key=lambda report: report["run"]["seconds"]["total"])
    run, seconds = best["run"], best["run"]["seconds"]
    found = {"backend": backend, "seconds": seconds, "all_totals": [report["run"]["seconds"]["total"] for report in runs], "threads": run["threads"],
             "values": best["input"]["nnz"], "values_per_second_whole_process": best["input"]["nnz"] / seconds["total"],
             "peak_device_bytes": run["peak_device_bytes"], "digest": best["digest"]}
    if backend == "cuda":
        rate = run["bytes_to_device"] / seconds["device"] / 1e9 if seconds["device"] else 0
        found.update(bytes_to_device=run["bytes_to_device"], steady_gb_per_s=rate, link_gb_per_s=link_rate(session))
        found["steady_share_of_link"] = rate / found["link_gb_per_s"] if found["link_gb_per_s"] else None
    return found


def measure(session, cells, compression):
    arguments = ["--preset", "brain-1.3m", "--layout", "modern", "--cells", str(cells), "--compression", compression]
    before = session.left()
    file = generate(session, "rates", arguments + (["--genes", "1000"] if session.quick else []))
    spent = before - session.left()
    try:
        found = {"cells": cells, "compression": compression, "generated_in": round(spent, 1),
                 "runs": [timed(session, file, "cpu"), timed(session, file, "cuda"), timed(session, file, "cuda", "--percent-top", "none")]}
    finally:
        file.unlink()
    if found["runs"][0]["digest"] != found["runs"][1]["digest"]:
        raise Failed("another digest than the processor's")
    return found


def whole_program(session):
    cells = 300 if session.quick else CELLS
    for compression in ("none", "gzip:4"):
        session.step("rates", f"qc of {cells:,} cells, {compression}", lambda s, how=compression: measure(s, cells, how))
    if not session.quick:
        session.step("rates", "qc of as many cells as there is time for", larger)


def larger(session):
    """Of the uncompressed file, as many cells of the 1.3 million as disk and time allow."""
    first = next(iter(session.results["rates"]), {})
    if not first.get("passed"):
        raise NotRun("the smaller one did not pass")
    room = shutil.disk_usage(session.work).free * 0.8 / BYTES_A_CELL
    cells = int(min(MOST_CELLS, room, CELLS * (session.left() - 60) / max(1, first["seconds"])))
    if cells < 2 * CELLS:
        raise NotRun("there is no time or no disk for more cells")
    return measure(session, cells, "none")


def bar(session, name, found, wanted):
    holds = None if found is None else found >= wanted
    session.results["bars"].append({"name": name, "found": found, "wanted": wanted, "holds": holds})
    print(f"{'not measured' if holds is None else 'holds' if holds else 'FALLS SHORT':12} {name}: {found} (wanted: {wanted})", flush=True)


def bars(session):
    """What was promised. What falls short is told, and fails nothing."""
    wide, peer = "quern, u32 + f32", "thread per row"
    times = [figure(session, "fused_qc_resident", name, "median_ms") for name in (peer, wide)]
    bar(session, "fused QC, share of the copy rate", figure(session, "fused_qc_resident", wide, "share_of_copy"), 0.5)
    bar(session, "fused QC, times as fast as a thread a row", times[0] / times[1] if all(times) else None, 5)
    tiles, syrk, pairs = (figure(session, "gram_resident", name, "median_ms") for name in ("quern, tiles", "bare DSYRK, dense already", "an atomic addition a pair"))
    bar(session, "gram of 2,000 genes, share of a bare DSYRK's rate", syrk / tiles if tiles else None, 0.7)
    bar(session, "gram of 2,000 genes, times as fast as an atomic addition a pair", pairs / tiles if tiles else None, 5)
    largest = max((entry for entry in session.results["rates"] if entry.get("compression") == "none"), key=lambda entry: entry["cells"], default=None)
    by_default = [run for run in largest["runs"] if run["backend"] == "cuda"][:1] if largest else []
    share = by_default[0].get("steady_share_of_link") if by_default else None
    bar(session, "qc of contiguous data, the largest file, steady state, share of the link", share, 0.8)
    session.write()


def profile(session):
    session.step("rates", "profile of the fused kernels", run_profiler)


def run_profiler(session):
    program = tool("ncu")
    if not program:
        raise NotRun("there is no ncu")
    if session.left() < 40:
        raise NotRun("there is no time left for it")
    done = session.run(program, "--clock-control", "none", "--set", "basic", "--section", "MemoryWorkloadAnalysis", "--kernel-name-base", "demangled", "--kernel-name", "regex:WholeFold",
                       "--launch-count", "4", session.program("quern_gpu_lanes"), "20000", "1", limit=60, accept=range(256))
    if done.returncode != 0:
        raise NotRun(f"ncu does not work here: {(done.stdout + done.stderr)[-300:]}")
    path = session.target.with_suffix(".ncu.txt")
    path.write_text(done.stdout, encoding="utf-8")
    return {"file": path.name}
