"""Everything that quern writes, as the oldest anndata that it promises reads it (0.8), beside what the newest reads."""
import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pytest

from support import plain_h5ad
from support.compare_anndata import WITHOUT_X
from support.program import run

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = Path(os.environ.get("QUERN_FIXTURES", ROOT / "build" / "fixtures"))
SHARED = Path(os.environ.get("QUERN_SHARED_DATA", "/nowhere"))
OLD_ANNDATA = Path(os.environ.get("QUERN_ANNDATA_08", ROOT / "build" / "anndata-0.8"))
VERBS = {"qc": ["--percent-top", "none", "--qc-vars", "ribo"], "convert": [], "filter": ["--min-genes", "1", "--min-cells", "1"],
         "normalize": ["--target-sum", "1e4", "--counts-layer", "counts", "--key-added", "factor"]}
# Small files of each generation and layout go through every verb, the many storage types and filters through convert.
GENERATIONS = ["modern", "generation-0.7", "generation-0.6", "generation-0.6-late", "generation-0.5", "mixture", "nullable-index", "tenx-v2.h5",
               "tenx-v3.h5", "mtx-old", "mtx-new"]
NOTHING_LEFT = 2


def inputs():
    """(file, verb) of everything that is written."""
    tenx = sorted(SHARED.glob("*.h5")) + sorted(path for path in SHARED.glob("*") if path.is_dir() and "expected" not in path.name)
    whole = [path for path in sorted(FIXTURES.iterdir()) if {path.name, path.stem} & set(GENERATIONS) and path.suffix != ".npz"]
    for path in sorted(SHARED.glob("*.h5ad")) + tenx + whole:
        yield from ((path, verb) for verb in VERBS if path.stem not in WITHOUT_X or verb == "convert")
    for path in sorted(FIXTURES.glob("*.h5ad")):
        if path not in whole:
            yield path, "convert"


def several_genomes(path):
    return ["--genome", "hg19_chr21"] if "multiple_genomes" in path.name else []


def text_with_gaps(folder):
    """A column of text with missing values: anndata before 0.11 has no encoding for it."""
    path = folder / "gaps.h5ad"
    ad.AnnData(np.ones((3, 2), "f4")).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        column = file["obs"].create_group("note")
        column.attrs.update({"encoding-type": "nullable-string-array", "encoding-version": "0.1.0", "na-value": "NA"})
        column["values"], column["mask"] = np.array(["a", "", "c"], dtype=h5py.string_dtype()), np.array([False, True, False])
        column["values"].attrs.update({"encoding-type": "string-array", "encoding-version": "0.2.0"})
        column["mask"].attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
        file["obs"].attrs["column-order"] = np.array(["note"], dtype=h5py.string_dtype())
    return path


@pytest.fixture(scope="module")
def written(quern_bin, tmp_path_factory):
    """{output: the codes of its warnings}."""
    folder = tmp_path_factory.mktemp("written")

    def write(number, path, verb):
        out = folder / f"{verb}-{number}-{path.stem}.h5ad"
        words = [quern_bin, verb, path, "-o", out, "--json", "-", "-q", "-t", "1", *VERBS[verb], *several_genomes(path)]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
        report = json.loads(done.stdout)
        if done.returncode == NOTHING_LEFT and report["error"]["code"] == "nothing-left":
            return None
        assert done.returncode == 0, f"{verb} {path}: {done.stderr}"
        return str(out), {warning["code"] for warning in report["warnings"]}

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [*inputs(), (text_with_gaps(folder), "convert")]
        done = [pool.submit(write, number, *job) for number, job in enumerate(jobs)]
        return dict(result for job in done if (result := job.result()))


def read_by_old(paths):
    """What `plain_h5ad` says in a process that finds the old anndata before the new one."""
    assert (OLD_ANNDATA / "anndata").is_dir(), f"{OLD_ANNDATA} is not made: ./bootstrap test"
    done = subprocess.run([sys.executable, plain_h5ad.__file__, *map(str, paths)], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(OLD_ANNDATA), "PYTHONDONTWRITEBYTECODE": "1"})
    report = json.loads(done.stdout)
    assert report["anndata"].startswith("0.8.")
    return report["files"]


def test_both_read_the_same(written):
    with concurrent.futures.ThreadPoolExecutor(1) as beside:
        reading = beside.submit(read_by_old, written)
        new = plain_h5ad.read_all(written)
        old = reading.result()
    assert len(old) > 250 and any("normalize" in path for path in old)
    found = []
    for path, warnings in written.items():
        theirs, ours = old[path], new[path]
        if "newer-readers-only" in warnings:  # said of a file, it has to be so
            assert isinstance(theirs, str) and isinstance(ours, dict), path
        elif isinstance(theirs, str) or isinstance(ours, str):
            found.append(f"{Path(path).name}: {theirs if isinstance(theirs, str) else ours}")
        else:
            found += [f"{Path(path).name}: {key}: {theirs.get(key)} and {ours.get(key)}" for key in sorted(theirs.keys() | ours.keys())
                      if theirs.get(key) != ours.get(key)]
    assert not found, f"{len(found)} differences; the first:\n" + "\n".join(found[:10])
    assert any("newer-readers-only" in warnings for warnings in written.values())


def test_a_difference_is_seen(quern_bin, tmp_path):
    run(quern_bin, "convert", FIXTURES / "modern.h5ad", "-o", tmp_path / "a.h5ad", "-q")
    run(quern_bin, "normalize", FIXTURES / "modern.h5ad", "-o", tmp_path / "b.h5ad", "-q")
    old, new = read_by_old([tmp_path / "a.h5ad", FIXTURES / "null-x.h5ad"]), plain_h5ad.read_all([tmp_path / "b.h5ad"])
    a, b = old[str(tmp_path / "a.h5ad")], new[str(tmp_path / "b.h5ad")]
    assert a["X/indices"] == b["X/indices"] and a["X/data"] != b["X/data"] and "uns/log1p" not in a
    assert isinstance(old[str(FIXTURES / "null-x.h5ad")], str), "what 0.8 cannot read is told as such"
