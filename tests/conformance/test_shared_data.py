"""Every real file of the shared data folder against the answers kept beside it (its README says how they were computed).

The folder is not part of the repository; where it is absent each of these is skipped by name.
"""
import hashlib
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from support.program import differences, qc, run

DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = DATA / "expected"
ANSWERS = {path.name[:-len(".json")]: json.loads(path.read_text()) for path in sorted(EXPECTED.glob("*.json")) if path.name != "seed_golden.json"}
NAMES = sorted(ANSWERS) or ["absent"]
MATRICES = [(name, matrix) for name in sorted(ANSWERS) for matrix, numbers in ANSWERS[name]["numbers"].items() if "skipped" not in numbers]
MATRICES = MATRICES or [("absent", "X")]

pytestmark = pytest.mark.skipif(not ANSWERS, reason=f"no shared data in {DATA}")

TOTALS = 1e-12
VARIANCE, VARIANCE_FLOOR = 1e-9, 1e-12
LOG_MEANS = 1e-6


def info(binary, name):
    return json.loads(run(binary, "info", DATA / name, "--json", "-").stdout)


def texts_sha256(texts):
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_check(name, quern_bin):
    run(quern_bin, "check", DATA / name, "--deep")



def check_matrix(ours, theirs):
    for key, expected_key in (("storage", "storage"), ("rows", "rows"), ("cols", "cols")):
        assert ours[key] == theirs[expected_key], key
    assert ours["nnz"] == (None if theirs["storage"] == "dense" else theirs["stored_entries"])
    arrays = theirs["hdf5"]
    if "data" not in arrays:
        return  # text
    assert ours["value_type"] == arrays["data"]["type"]
    assert ours["chunk"] == arrays["data"]["chunk"]
    assert ours["filters"] == arrays["data"]["filters"]
    if theirs["storage"] != "dense":
        assert ours["index_type"] == arrays["indices"]["type"]
        assert ours["indptr_type"] == arrays["indptr"]["type"]


def check_frame(ours, theirs):
    assert [column["name"] for column in ours["columns"]] == list(theirs["columns"])
    ours = {column["name"]: column for column in ours["columns"]}
    for name, expected in theirs["columns"].items():
        assert ours[name]["kind"] == expected["kind"], name
        if "categories" in expected:
            assert len(ours[name]["categories"]) == expected["n_categories"], name
            assert ours[name]["categories"][:len(expected["categories"])] == expected["categories"], name
        if expected.get("ordered") is not None:
            assert ours[name]["ordered"] == expected["ordered"], name


@pytest.mark.parametrize("name", NAMES)
def test_info(name, quern_bin):
    expected, report = ANSWERS[name], info(quern_bin, name)
    assert report["input"]["format"] == expected["format"]
    assert (report["input"]["generation"] or None) == expected["generation"]
    assert (report["input"]["n_obs"], report["input"]["n_vars"]) == (expected["n_obs"], expected["n_vars"])
    ours = {matrix["name"]: matrix for matrix in report["result"]["matrices"]}
    assert sorted(ours) == sorted(expected["matrices"])
    for matrix, theirs in expected["matrices"].items():
        check_matrix(ours[matrix], theirs)
    for frame in ("obs", "var", "raw_var"):
        assert (report["result"][frame] is None) == (expected.get(frame) is None), frame
        if expected.get(frame) is not None:
            check_frame(report["result"][frame], expected[frame])
    assert report["result"]["keys"] == expected["keys"]


def arguments_of(name, matrix):
    if matrix.startswith("genome/"):
        return ["--genome", matrix.removeprefix("genome/")]
    everything = ["--feature-type", "all"] if ANSWERS[name]["format"].startswith("10x") else []
    return everything + ([] if matrix == "X" else ["--layer", matrix])


def numbers_of(name, matrix):
    """{table: {column: numbers}} of the answers; a matrix that equals another one has the numbers of that."""
    group = ANSWERS[name]["numbers"][matrix].get("same_as", matrix)
    with h5py.File(EXPECTED / f"{name}.h5") as file:
        return {table: {column: values[()] for column, values in file[f"{group}/{table}"].items()}
                for table in ("qc/obs", "qc/var", "qc/mt", "moments/var")}


def check_columns(ours, theirs, whole):
    found = []
    for name, expected in theirs.items():
        if expected.dtype.kind in "iu" or (whole and name.startswith("total_counts")):
            wrong = [f"[{i}] {a}, expected {b}" for i, (a, b) in enumerate(zip(ours[name], expected.tolist(), strict=True)) if a != b]
        else:
            wrong = differences(ours[name], expected.tolist(), TOTALS)
        found += [f"{name}{text}" for text in wrong[:3]]
    assert not found, "\n".join(found)


def check_moments(ours, theirs):
    for mean, var, relative in (("mean", "var", VARIANCE), ("mean_log1p_cpm", "var_log1p_cpm", LOG_MEANS)):
        squares = theirs[var] + theirs[mean] ** 2
        floor = [VARIANCE_FLOOR * x if np.isfinite(x) else 0.0 for x in squares.tolist()]
        assert not differences(ours[mean], theirs[mean].tolist(), TOTALS if mean == "mean" else relative, 0.0), mean
        assert not differences(ours[var], theirs[var].tolist(), relative, floor), var


def check_names(names, frame):
    if frame["names_sha256"] is not None:
        assert texts_sha256(names) == frame["names_sha256"]


@pytest.mark.parametrize("name,matrix", MATRICES)
def test_qc(name, matrix, quern_bin, tmp_path):
    expected, theirs = ANSWERS[name], numbers_of(name, matrix)
    arguments = [DATA / name, *arguments_of(name, matrix), "--moments"]
    report, (_, cell_names, cells), (_, gene_names, genes) = qc(quern_bin, tmp_path, *arguments)
    whole = expected["matrices"][matrix]["whole_numbers"]
    assert report["result"]["n_nonzero"] == expected["matrices"][matrix]["nonzero_entries"]
    check_columns(cells, theirs["qc/obs"], whole)
    check_columns(cells, theirs["qc/mt"], whole)
    check_columns(genes, theirs["qc/var"], whole)
    check_moments(genes, theirs["moments/var"])
    check_names(cell_names, expected["obs"])
    if matrix == "raw":
        check_names(gene_names, expected["raw_var"])
    elif matrix == next(iter(expected["matrices"])) or not matrix.startswith("genome/"):  # of several genomes the first one's are listed
        check_names(gene_names, expected["var"])
    again, _, _ = qc(quern_bin, tmp_path, *arguments, "--chunk-nnz", "997", "-t", "2", "-m", "64MiB")
    assert again["digest"] == report["digest"]


def test_published_values(quern_bin, tmp_path):
    """log1p CPM of single entries of a published set: a file of one cell whose mean log1p CPM is that value."""
    golden = json.loads((EXPECTED / "seed_golden.json").read_text())["values"]
    assert len(golden) == 5
    for number, entry in enumerate(golden):
        file = tmp_path / f"{number}.h5ad"
        write_one_cell(file, [entry["count"], entry["n_counts"] - entry["count"]])
        _, _, (_, _, genes) = qc(quern_bin, tmp_path, file, "--moments")
        assert np.float32(genes["mean_log1p_cpm"][0]) == np.float32(entry["published"]), entry


def write_one_cell(path, counts):
    with h5py.File(path, "w") as file:
        file["obs"] = np.array([(b"cell",)], dtype=[("index", "S4")])
        file["var"] = np.array([(b"gene%d" % i,) for i in range(len(counts))], dtype=[("index", "S8")])
        file["X"] = np.array([counts], dtype=np.float32)
