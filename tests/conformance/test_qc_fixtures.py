"""`quern qc` against the oracle on every fixture, for several chunk sizes, thread counts and budgets."""
import json
import os
from pathlib import Path

import numpy as np
import pytest

from oracle import oracle
from support.program import differences, qc

FOLDER = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
MANIFEST = FOLDER / "manifest.json"
CASES = json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else []

# Whatever these say, the answer is the same bits. The first also has two slots only, overwritten each time they come back.
SCHEDULES = [["--chunk-nnz", "1", "-t", "2", "--test-slots", "2"], ["--chunk-nnz", "997", "-t", "3"], ["-m", "64MiB", "-t", "1"]]

SUMS = 1e-12            # relative; totals are exact sums rounded once
VARIANCE = 1e-9         # relative
VARIANCE_FLOOR = 1e-12  # of the mean square
LOG_MOMENTS = 1e-9      # relative and absolute: logarithms are kept in fixed point


def test_there_are_cases():
    assert len(CASES) > 150


def load(case):
    truth = np.load(FOLDER / case["truth"])
    return oracle.Matrix((case["n_obs"], case["n_vars"]), truth["rows"], truth["cols"], truth["values"])


def exact_columns(table, whole):
    """Columns that hold integers: counts always, totals of whole numbers too."""
    return {name for name in table if name.startswith("n_") or (whole and name.startswith("total_counts"))}


def check_table(ours, theirs, whole, tolerance):
    assert list(ours) == list(theirs)
    exact = exact_columns(theirs, whole)
    found = []
    for name, expected in theirs.items():
        if name in exact:
            wrong = [f"[{i}] {a!r}, expected {b!r}" for i, (a, b) in enumerate(zip(ours[name], expected)) if a != b]
            assert len(ours[name]) == len(expected), name
        else:
            relative, absolute = tolerance(name)
            wrong = differences(ours[name], [oracle.rounded(x) for x in expected], relative, absolute)
        found += [f"{name}{text}" for text in wrong[:3]]
    assert not found, "\n".join(found)


def gene_tolerance(matrix):
    squares = [oracle.rounded(oracle.exact_sum(x * x for _, x in column)) / max(1, matrix.n_obs) for column in matrix.cols]
    special = {"var": (VARIANCE, [VARIANCE_FLOOR * x if np.isfinite(x) else 0.0 for x in squares]),
               "mean_log1p_cpm": (LOG_MOMENTS, LOG_MOMENTS), "var_log1p_cpm": (LOG_MOMENTS, LOG_MOMENTS)}
    return lambda name: special.get(name, (SUMS, 0.0))


def check_names(names, expected, word):
    assert names == (expected if expected is not None else [f"{word}_{i + 1}" for i in range(len(names))])


def check_summary(report, answer, case):
    result, summary = report["result"], answer["summary"]
    for key in ("n_obs", "n_vars", "n_nonzero", "integer"):
        assert result[key] == summary[key], key
    assert result["nnz"] == case["stored"] == report["input"]["nnz"]
    total = oracle.rounded(summary["total_counts"])
    magnitudes = sum(abs(oracle.rounded(x)) for x in answer["genes"]["total_counts"])
    if np.isfinite(total):  # of the genes' totals, each rounded
        assert not differences([result["total_counts"]], [total], SUMS, 0.0 if summary["integer"] else SUMS * magnitudes)
    else:
        assert result["total_counts"] is None
    assert {name: x["n_genes"] for name, x in result["qc_vars"].items()} == summary["qc_vars"]
    for key, column in (("median_genes_per_cell", "n_genes_by_counts"), ("median_counts_per_cell", "total_counts")):
        expected = np.median([oracle.rounded(x) for x in answer["cells"][column]]) if case["n_obs"] else np.nan
        if np.isfinite(expected):
            assert not differences([result[key]], [expected], SUMS), key
        else:
            assert result[key] is None, key


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_agrees_with_the_oracle(case, quern_bin, tmp_path):
    matrix = load(case)
    answer = oracle.qc(matrix, {"mt": oracle.mitochondrial(case["var_names"])})
    whole = answer["summary"]["integer"]
    arguments = [FOLDER / case["path"], *case["arguments"], "--moments"]
    report, (cell_word, cell_names, cells), (gene_word, gene_names, genes) = qc(quern_bin, tmp_path, *arguments)
    assert (cell_word, gene_word) == ("cell", "gene")
    check_names(cell_names, case["obs_names"], "cell")
    check_names(gene_names, case["var_names"], "gene")
    check_table(cells, answer["cells"], whole, lambda _: (SUMS, 0.0))
    check_table(genes, answer["genes"], whole, gene_tolerance(matrix))
    check_summary(report, answer, case)
    first_tables = [(tmp_path / name).read_bytes() for name in ("cells.tsv", "genes.tsv")]
    for schedule in SCHEDULES:
        again, _, _ = qc(quern_bin, tmp_path, *arguments, *schedule)
        assert again["digest"] == report["digest"], schedule
        assert [(tmp_path / name).read_bytes() for name in ("cells.tsv", "genes.tsv")] == first_tables, schedule
