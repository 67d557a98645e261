"""More than 2^31 stored values: every row pointer counts, early and late cells alike. Run by `ctest -C huge -L huge`."""
import runpy
from pathlib import Path

import pytest

from support.program import qc

MAKER = runpy.run_path(str(Path(__file__).resolve().parents[1] / "fixtures" / "make_huge_sparse.py"))


@pytest.fixture(scope="module")
def huge(tmp_path_factory):
    path = tmp_path_factory.mktemp("huge") / "huge.h5ad"
    MAKER["make"](path)
    assert path.stat().st_size < 60 << 20
    return path


def test_sums_beyond_32_bits(quern_bin, tmp_path, huge):
    truth = MAKER["expected"]()
    assert truth["nnz"] > 2**31
    report, cells, genes = qc(quern_bin, tmp_path, huge, "--percent-top", "none", "--memory", "256MiB")
    assert report["input"]["nnz"] == report["result"]["n_nonzero"] == truth["nnz"]
    n_early = truth["n_cells"] - truth["n_late"]
    assert cells[2]["n_genes_by_counts"] == [30_000] * truth["n_cells"]
    assert cells[2]["total_counts"] == [truth["early_total"]] * n_early + [truth["late_total"]] * truth["n_late"]
    assert genes[2]["n_cells_by_counts"] == [truth["gene_cells"]] * 30_000
    assert genes[2]["total_counts"] == truth["gene_totals"]
