"""Options of qc that change what is computed: gene sets, percent-top, old names, the digest's reach."""
import json

import numpy as np
import pytest

from oracle import oracle
from support.program import differences, qc, run


@pytest.fixture(name="wide")
def _wide(fixtures_dir):
    """A file on which every percent-top default applies: (path, matrix, gene names)."""
    case = next(case for case in json.loads((fixtures_dir / "manifest.json").read_text())["cases"] if case["name"] == "wide")
    truth = np.load(fixtures_dir / case["truth"])
    return fixtures_dir / case["path"], oracle.Matrix((case["n_obs"], case["n_vars"]), **dict(truth)), case["var_names"]


def members(names, wanted):
    return {number for number, name in enumerate(names) if wanted(name)}


def agree(ours, theirs):
    for name, expected in theirs.items():
        assert not differences(ours[name], [oracle.rounded(x) for x in expected], 1e-12), name


def test_own_gene_sets(wide, quern_bin, tmp_path):
    path, matrix, names = wide
    listed = tmp_path / "genes.txt"
    listed.write_text("Gene0003\nGene0007\nMTOR\n", encoding="utf-8")
    report, (_, _, cells), _ = qc(quern_bin, tmp_path, path, "--qc-vars", "mt", "--qc-vars", "tens=^Gene[0-9]*0$", "--qc-vars", f"own=@{listed}")
    sets = {"mt": members(names, lambda name: name.startswith(("MT-", "mt-"))),
            "tens": members(names, lambda name: name.startswith("Gene") and name.endswith("0")),
            "own": members(names, lambda name: name in ("Gene0003", "Gene0007", "MTOR"))}
    expected = oracle.cell_table(matrix, sets, oracle.DEFAULT_TOP)
    assert list(cells) == list(expected)
    agree(cells, expected)
    assert {name: x["n_genes"] for name, x in report["result"]["qc_vars"].items()} == {name: len(genes) for name, genes in sets.items()}


def test_no_gene_sets(wide, quern_bin, tmp_path):
    _, (_, _, cells), _ = qc(quern_bin, tmp_path, wide[0], "--qc-vars", "none")
    assert not [name for name in cells if "mt" in name]


def test_percent_top(wide, quern_bin, tmp_path):
    path, matrix, _ = wide
    _, (_, _, cells), _ = qc(quern_bin, tmp_path, path, "--percent-top", "100,1,7", "--qc-vars", "none")
    expected = oracle.cell_table(matrix, {}, (1, 7, 100))
    assert list(cells) == list(expected)
    agree(cells, expected)
    report, (_, _, cells), _ = qc(quern_bin, tmp_path, path, "--percent-top", "none")
    assert not [name for name in cells if name.startswith("pct_counts_in_top")]
    assert report["warnings"] == [] or all("top" not in warning["code"] for warning in report["warnings"])


def test_top_beyond_the_genes_is_left_out_with_a_warning(fixtures_dir, quern_bin, tmp_path):
    report, (_, _, cells), _ = qc(quern_bin, tmp_path, fixtures_dir / "modern.h5ad")
    assert [name for name in cells if "in_top" in name] == ["pct_counts_in_top_50_genes"]
    assert any("500" in warning["text"] for warning in report["warnings"])


def test_legacy_names(wide, quern_bin, tmp_path):
    path, matrix, names = wide
    _, (_, _, cells), (_, _, genes) = qc(quern_bin, tmp_path, path, "--legacy-names")
    mt = members(names, lambda name: name.startswith(("MT-", "mt-")))
    expected = oracle.cell_table(matrix, {"mt": mt}, ())
    assert cells["n_genes"] == expected["n_genes_by_counts"]
    assert cells["n_counts"] == expected["total_counts"]
    fractions = [x / 100 for x in expected["pct_counts_mt"]]
    assert not differences(cells["percent_mt"], fractions, 1e-12)
    assert genes["n_cells"] == oracle.gene_table(matrix)["n_cells_by_counts"]


@pytest.mark.parametrize("name", ["wide", "wide-fractions", "cancelling-csr", "csc-giant", "dense-tiles"])
def test_digest_is_the_same_for_every_schedule(name, fixtures_dir, quern_bin, tmp_path):
    schedules = [["-t", threads, *chunk, *memory] for threads in ("1", "2", "3", "8")
                 for chunk in ([], ["--chunk-nnz", "1"], ["--chunk-nnz", "997"], ["--chunk-nnz", "65536"])
                 for memory in ([], ["-m", "64MiB"])]
    digests = {tuple(schedule): qc(quern_bin, tmp_path, fixtures_dir / f"{name}.h5ad", "--moments", *schedule)[0]["digest"]
               for schedule in schedules}
    assert len(set(digests.values())) == 1, digests


def test_digest_follows_the_values(fixtures_dir, quern_bin, tmp_path):
    digests = [qc(quern_bin, tmp_path, fixtures_dir / name)[0]["digest"] for name in ("modern.h5ad", "mixture.h5ad", "modern.h5ad")]
    assert digests[0] == digests[2] != digests[1]


def test_same_matrix_in_two_layouts_has_the_same_digest(fixtures_dir, quern_bin, tmp_path):
    file = fixtures_dir / "modern.h5ad"
    sparse, _, _ = qc(quern_bin, tmp_path, file)
    dense, _, _ = qc(quern_bin, tmp_path, file, "--layer", "layers/dense")
    assert sparse["digest"] == dense["digest"]


def test_several_genomes_and_none_named(fixtures_dir, quern_bin):
    done = run(quern_bin, "qc", fixtures_dir / "tenx-v2-genomes.h5", expect=2)
    assert "hg19" in done.stderr and "mm10" in done.stderr
