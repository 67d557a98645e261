"""Files that claim more than the memory given: refused before anything is inflated, or read piece by piece; never taken on trust."""
import re
from dataclasses import dataclass

import h5py
import numpy as np
import pytest

from hostile.bases import N_OBS, N_VARS, h5ad
from hostile.bombs import bomb, one_chunk, zeros_deflated
from hostile.repeated import repeated
from hostile.table import command_of, judge, run

MIB = 1 << 20
GIB = 1 << 30
BUDGET = 128 * MIB
OVERHEAD = 48 * MIB  # what the contract allows above the budget
PROBE = 320 * MIB  # the probe of the metadata of a small file


def judged(binary, folder, path, outcome, says="", names="", verb="qc"):
    done = run(binary, [*command_of(verb, path, folder / "out"), "-m", "128MiB", "--percent-top", "none"], folder / "out", measured=True)
    judge(done, verb, path, outcome, says, names)
    return done


@pytest.mark.parametrize("dataset", ["X/data", "X/indices", "X/indptr"])
def test_chunk_beyond_the_budget_that_needs_all_of_it(binary_for_all, folder, dataset):
    """1 GiB in a chunk that is shuffled and so cannot be inflated piecewise."""
    path = bomb(folder, "modern", dataset, GIB // 4, zeros_deflated(GIB), shuffle=True)
    assert path.stat().st_size < 2 * MIB
    done = judged(binary_for_all, folder, path, "5 chunk-too-large", "1024 MiB", f"/{dataset}")
    assert done.peak_bytes < BUDGET + OVERHEAD


def test_chunk_beyond_the_budget_is_read_piecewise(binary_for_all, folder):
    """256 MiB of values in one gzip chunk, with half of that as budget: every value is zero and every row sums to that."""
    path = one_chunk(folder, N_OBS, N_VARS, False, per_row=1 << 16 << 4)
    done = judged(binary_for_all, folder, path, "ok")
    assert done.report["result"]["total_counts"] == 0
    assert done.peak_bytes < BUDGET + OVERHEAD


@pytest.mark.parametrize("dataset, code", [("X/data", "ok"), ("X/indices", "ok"), ("X/indptr", "bad-indptr")])
def test_chunk_beyond_the_shape_is_inflated_piecewise(binary_for_all, folder, dataset, code):
    """1 GiB in a gzip chunk for some hundred values, all zeros: rows of an indptr of zeros leave the entries stored over."""
    path = bomb(folder, "modern", dataset, GIB // 4, zeros_deflated(GIB))
    done = judged(binary_for_all, folder, path, code)
    assert done.peak_bytes < BUDGET + OVERHEAD and done.seconds < 15


@pytest.mark.parametrize("dataset, values", [("obs/_index", N_OBS), ("var/_index", N_VARS)])
def test_claim_beyond_the_shape(binary_for_all, folder, dataset, values):
    """A chunk of 1 GiB for some dozen names that HDF5 would inflate as a whole."""
    path = bomb(folder, "modern", dataset, GIB // 16, zeros_deflated(GIB))
    done = judged(binary_for_all, folder, path, "bad-shape", f"MiB for {values} values", f"/{dataset}")
    assert done.peak_bytes < BUDGET + OVERHEAD


@pytest.mark.parametrize("dataset", ["X/data", "X/indptr", "obs/_index"])
def test_stream_longer_than_its_chunk(binary_for_all, folder, dataset):
    """The chunk's shape is honest, its gzip stream goes on for 2 GiB."""
    path = bomb(folder, "modern", dataset, 400, zeros_deflated(2 * GIB))
    done = judged(binary_for_all, folder, path, "corrupt-chunk", names=f"/{dataset}")
    assert done.peak_bytes < PROBE


def test_least_memory_is_named(binary_for_all, folder):
    path = one_chunk(folder, N_OBS, N_VARS, True, per_row=1 << 18)
    words = [*command_of("qc", path, folder / "out"), "-m", "64MiB"]
    done = run(binary_for_all, words, folder / "out", measured=True)
    judge(done, "qc", path, "5 chunk-too-large", "37 MiB", "/X/indices")
    needed = re.search(r"--memory (\S+) or more", done.stderr).group(1)
    assert done.peak_bytes < 64 * MIB + OVERHEAD
    judge(run(binary_for_all, [*words, "-m", needed, "--force"], folder / "out"), "qc", path, "ok")


MANY_SETS = [word for number in range(30) for word in ("--qc-vars", f"set{number}=^{number}")]
LONG, HUGE = "n" * 3000, "n" * MIB
MILLION = 1000 * 1000


@dataclass
class Named:
    """A file of repeated names and what a run on it should say."""

    name: str
    file: dict
    words: tuple
    outcome: str
    says: str = ""


NAMED = [
    Named("long-names-many-slots-many-sets", {"n_obs": 20000, "n_vars": 50, "obs": LONG}, ("qc", "-t", "8", *MANY_SETS), "ok"),
    Named("long-gene-names", {"n_obs": 50, "n_vars": 20000, "var": LONG}, ("qc", "-t", "8", *MANY_SETS), "ok"),
    Named("huge-cell-names", {"n_obs": 4000, "n_vars": 50, "obs": HUGE}, ("qc", "-t", "8"), "5 text-too-long", "strings of more than 4 MiB"),
    Named("huge-gene-names", {"n_obs": 50, "n_vars": 100, "var": HUGE}, ("qc",), "ok"),
    Named("a-name-beyond-any", {"n_obs": 5, "n_vars": 5, "var": "n" * (20 * MIB)}, ("qc",), "5 text-too-long", "a string of more than 16 MiB"),
    Named("three-million-genes", {"n_obs": 50, "n_vars": 3 * MILLION}, ("qc", "-m", "256MiB"), "ok"),
    Named("three-million-genes-moments", {"n_obs": 50, "n_vars": 3 * MILLION}, ("qc", "--moments", "-m", "256MiB"), "5 over-budget", "gene tables needs"),
    Named("three-million-columns", {"n_obs": 50, "n_vars": 3 * MILLION}, ("show",), "5 over-budget", "names and text of a slice needs"),
    Named("half-a-million-columns", {"n_obs": 5, "n_vars": MILLION // 2}, ("show",), "ok"),
    Named("long-column-names", {"n_obs": 5, "n_vars": 100000, "var": LONG}, ("show",), "5 over-budget", "names and text of a slice needs"),
    Named("two-million-labels", {"n_obs": 5000, "n_vars": 50, "labels": 2 * MILLION}, ("show", "obs"), "ok"),
    Named("five-million-labels", {"n_obs": 5000, "n_vars": 50, "labels": 5 * MILLION}, ("show", "obs"), "5 over-budget", "labels of categories needs"),
    Named("long-labels", {"n_obs": 5000, "n_vars": 50, "labels": 100000, "label": LONG}, ("show", "obs/label"), "5 over-budget", "labels of categories needs"),
    Named("check-of-five-million-labels", {"n_obs": 5000, "n_vars": 50, "labels": 5 * MILLION}, ("check", "--deep"), "5 over-budget", "labels of categories needs"),
]


@pytest.mark.parametrize("case", NAMED, ids=lambda case: case.name)
def test_names(binary_for_all, folder, case):
    """Whatever is kept of names and of what belongs to genes is counted; what cannot be kept is refused by name."""
    path = repeated(folder, **case.file)
    verb, *words = case.words
    budget = 256 * MIB if "256MiB" in words else BUDGET
    outputs = ["-o", folder / "out" / "shown.tsv"] if verb == "show" else [] if verb == "check" else command_of(verb, path, folder / "out")[2:]
    command = [verb, path, *outputs, *([] if "-m" in words else ["-m", "128MiB"]), *words]
    done = run(binary_for_all, command, folder / "out", measured=True)
    told = f"exit {done.status}, {done.peak_bytes / MIB:.0f} MiB, {done.seconds:.1f} s: {done.stdout[-300:]}{done.stderr[-300:]}"
    print(case.name, told)
    exit_code, _, code = case.outcome.partition(" ")
    assert done.status == (0 if exit_code == "ok" else int(exit_code)), told
    assert code in told and case.says in told, told
    assert done.peak_bytes <= budget + OVERHEAD, told


@pytest.mark.parametrize("kind", ["csr", "csc"])
def test_row_larger_than_a_slot_is_refused_before_values_are_read(binary_for_all, folder, kind):
    """One cell has three million entries; whoever read their values would find that they do not inflate."""
    n = 3 * MILLION
    path = repeated(folder, 2, n)
    with h5py.File(path, "r+") as root:
        del root["X"]
        x = root.create_group("X")
        h5ad.tag(x, f"{kind}_matrix", "0.1.0")
        x.attrs["shape"] = np.array([2, n])
        x["indptr"] = np.array([0, n, n]) if kind == "csr" else np.arange(n + 1)
        x["indices"] = np.arange(n, dtype="i4") if kind == "csr" else np.zeros(n, "i4")
        data = x.create_dataset("data", shape=(n,), chunks=(1 << 16,), dtype="f4", compression="gzip")
        for first in range(0, n, 1 << 16):
            data.id.write_direct_chunk((first,), b"no gzip stream")
    enough = run(binary_for_all, ["qc", path, "-m", "1GiB", "--percent-top", "none"], folder / "out")
    assert enough.status == 3 and "[corrupt-chunk]" in enough.stderr, enough.stderr
    done = run(binary_for_all, ["qc", path, "-m", "128MiB", "--percent-top", "none", "--cells-out", folder / "out" / "cells.tsv"], folder / "out")
    assert done.status == 5 and "[over-budget]" in done.stderr and not done.left, done.stderr
    assert re.search(r"give --memory \d+MiB or more", done.stderr), done.stderr
