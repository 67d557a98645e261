"""The oracle against numbers worked out by hand, and against the real scanpy."""
import json
import math
from fractions import Fraction

import numpy as np
import pytest

from oracle import oracle


def matrix(dense):
    dense = np.array(dense)
    rows, cols = np.nonzero(dense)
    return oracle.Matrix(dense.shape, rows, cols, dense[rows, cols])


def test_by_hand():
    m = matrix([[1, 0, 3], [0, 0, 0], [2, 5, 0]])
    answer = oracle.qc(m, {"mt": {2}}, percent_top=(1, 2, 9))
    cells, genes = answer["cells"], answer["genes"]
    assert cells["n_genes_by_counts"] == [2, 0, 2]
    assert cells["total_counts"] == [4, 0, 7]
    assert cells["pct_counts_in_top_1_genes"][0] == 75
    assert math.isnan(cells["pct_counts_in_top_1_genes"][1])
    assert "pct_counts_in_top_9_genes" not in cells
    assert cells["pct_counts_mt"][0] == 75 and cells["pct_counts_mt"][2] == 0
    assert genes["total_counts"] == [3, 5, 3]
    assert genes["mean"] == [1, 5 / 3, 1]
    assert genes["var"] == [1, pytest.approx(25 / 3, rel=1e-15), 3]
    assert genes["n_cells_by_counts"] == [2, 1, 1]
    first = math.log1p(1 / (4 / 1e6)) + math.log1p(2 / (7 / 1e6))
    assert genes["mean_log1p_cpm"][0] == pytest.approx(first / 3, rel=1e-15)
    assert answer["summary"]["total_counts"] == 11 and answer["summary"]["integer"] is True


def test_sums_are_exact():
    assert oracle.rounded(oracle.exact_sum([oracle.exact(x) for x in (1e16, 0.1, -1e16, 0.1)])) == float(2 * Fraction(0.1))
    assert math.isnan(oracle.exact_sum([math.inf, 1, -math.inf]))
    assert oracle.exact_sum([math.inf, 1, math.inf]) == math.inf


def test_negative_values_rank_below_implicit_zeros():
    row = [(0, 5), (1, -2), (2, -7)]
    assert oracle.top_sum(row, 2, n_vars=3) == 3
    assert oracle.top_sum(row, 2, n_vars=4) == 5


def test_duplicates_are_summed_before_they_count():
    m = oracle.Matrix((1, 2), [0, 0, 0], [0, 0, 1], [2, -2, 3])
    assert oracle.cell_table(m, {}, ())["n_genes_by_counts"] == [1]


def scanpy_cases(folder):
    cases = json.loads((folder / "manifest.json").read_text())["cases"]
    return [case for case in cases if "scanpy" in case["tags"]]


def test_agrees_with_scanpy(fixtures_dir):
    """Matrix by matrix in float64, where scanpy's own sums are good to 1e-9."""
    import anndata
    import scanpy
    import scipy.sparse

    cases = scanpy_cases(fixtures_dir)
    assert len(cases) > 30
    for case in cases:
        truth = np.load(fixtures_dir / case["truth"])
        shape = (case["n_obs"], case["n_vars"])
        x = scipy.sparse.csr_matrix((truth["values"].astype(float), (truth["rows"], truth["cols"])), shape=shape)
        adata = anndata.AnnData(x)
        adata.var["mt"] = [name.startswith(("MT-", "mt-")) for name in case["var_names"]]
        top = [n for n in oracle.DEFAULT_TOP if n <= shape[1]]
        cells, genes = scanpy.pp.calculate_qc_metrics(adata, qc_vars=["mt"], percent_top=top)
        ours = oracle.qc(oracle.Matrix(shape, truth["rows"], truth["cols"], truth["values"]), {"mt": oracle.mitochondrial(case["var_names"])})
        assert list(ours["cells"]) == list(cells.columns)
        assert list(ours["genes"])[:len(genes.columns)] == list(genes.columns)
        for table, theirs in ((ours["cells"], cells), (ours["genes"], genes)):
            for column in theirs.columns:
                np.testing.assert_allclose(np.array(table[column], dtype=float), theirs[column].to_numpy(float), rtol=1e-9, atol=1e-9,
                                           err_msg=f"{case['name']} {column}")
