"""`filter` beside scanpy's filter_cells and filter_genes, written by anndata: on every fixture and shared file, then option by option."""
import hashlib
import json
import os
from pathlib import Path

import anndata as ad
import h5py
import hdf5plugin  # noqa: F401  zstd and blosc for h5py
import numpy as np
import pandas as pd
import pytest
import scanpy as sc
import scipy.sparse as sp

from support.compare_anndata import UNREADABLE, WITHOUT_X, difference, plain_index
from support.program import run

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
SHARED = Path(os.environ.get("QUERN_SHARED_DATA", "/nowhere"))
FILES = sorted(FIXTURES.glob("*.h5ad")) + sorted(SHARED.glob("*.h5ad"))
READABLE = [path for path in FILES if path.stem not in WITHOUT_X | UNREADABLE]
pytestmark = pytest.mark.filterwarnings("ignore")


def test_there_are_files():
    assert len(READABLE) > 120


def per_row(matrix, of):
    return np.asarray((matrix > 0).sum(axis=1 - of)).ravel()


def bounds(adata):
    """A number of genes and one of cells that some reach and others do not, where there are such."""
    n_genes = per_row(adata.X, 0)
    least_genes = int(np.quantile(n_genes, 0.3))
    n_cells = per_row(adata.X[n_genes >= least_genes], 1)
    return least_genes, int(np.quantile(n_cells, 0.4))


def read(path):
    adata = sc.read_h5ad(path)
    if sp.issparse(adata.X):  # scipy computes with signed indices of one type only
        adata.X = type(adata.X)((adata.X.data, adata.X.indices.astype(np.int64), adata.X.indptr.astype(np.int64)), shape=adata.X.shape)
    adata.obs, adata.var = plain_index(adata.obs), plain_index(adata.var)
    return adata


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_every_file(path, quern_bin, tmp_path):
    theirs = read(path)
    if 0 in theirs.shape:
        assert "nothing-left" in run(quern_bin, "filter", path, "-o", tmp_path / "out.h5ad", "--min-genes", "0", expect=2).stderr
        return
    least_genes, least_cells = bounds(theirs)
    had_raw = theirs.raw is not None
    sc.pp.filter_cells(theirs, min_genes=least_genes)
    sc.pp.filter_genes(theirs, min_cells=least_cells)
    run(quern_bin, "filter", path, "-o", tmp_path / "out.h5ad", "--min-genes", least_genes, "--min-cells", least_cells, "-q")
    ours = read(tmp_path / "out.h5ad")
    assert difference(theirs, ours, without=("raw", "uns/quern")) is None
    assert had_raw == (ours.raw is not None)
    if had_raw:
        raws = [ad.AnnData(side.raw.X, var=side.raw.var, varm=dict(side.raw.varm)) for side in (theirs, ours)]
        assert difference(*raws) is None


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data in {SHARED}")
@pytest.mark.parametrize("name", ["pbmc3k_10x_v2.h5", "scanpy-10x__v3_filtered_feature_bc_matrix.h5", "scanpy-10x__3.0.0__filtered_feature_bc_matrix"])
def test_10x(name, quern_bin, tmp_path):
    """A 10x file or matrix directory becomes an h5ad on the way."""
    path = SHARED / name
    theirs = sc.read_10x_h5(path) if path.suffix == ".h5" else sc.read_10x_mtx(path)
    least_genes, least_cells = bounds(theirs)
    sc.pp.filter_cells(theirs, min_genes=least_genes)
    sc.pp.filter_genes(theirs, min_cells=least_cells)
    sc.pp.filter_genes(theirs, min_counts=2)
    run(quern_bin, "filter", path, "-o", tmp_path / "out.h5ad", "--min-genes", least_genes, "--min-cells", least_cells,
        "--min-gene-counts", "2", "-q")
    assert difference(theirs, sc.read_h5ad(tmp_path / "out.h5ad"), without=("uns/quern",)) is None


@pytest.mark.parametrize("name", ["tenx-v3.h5", "tenx-v2.h5", "mtx-old"])
def test_10x_as_if_converted_before(name, quern_bin, tmp_path):
    words = ["--min-genes", "5", "--min-gene-counts", "2"]
    run(quern_bin, "convert", FIXTURES / name, "-o", tmp_path / "whole.h5ad", "-q", "--no-provenance")
    for path, out, how in ((tmp_path / "whole.h5ad", "a.h5ad", []), (FIXTURES / name, "b.h5ad", []),
                           (FIXTURES / name, "c.h5ad", ["--chunk-nnz", "7", "-t", "3"])):
        run(quern_bin, "filter", path, "-o", tmp_path / out, "-q", "--no-provenance", *words, *how)
    sides = [read(tmp_path / f"{side}.h5ad") for side in "abc"]
    assert difference(sides[0], sides[1]) is None and sides[0].n_obs > 0
    assert (tmp_path / "b.h5ad").read_bytes() == (tmp_path / "c.h5ad").read_bytes()


@pytest.fixture(scope="module")
def counts(quern_bin, tmp_path_factory):
    """600 cells with counts, labelled, a layer, obsm, obsp and raw, as anndata writes them."""
    folder = tmp_path_factory.mktemp("counts")
    run(quern_bin, "generate", folder / "generated.h5ad", "--preset", "pbmc3k", "--cells", "600")
    adata = sc.read_h5ad(folder / "generated.h5ad")
    adata.obs["group"] = pd.Categorical(np.array(["a", "b", "c", "rare"])[np.where(np.arange(600) == 7, 3, np.arange(600) % 3)])
    adata.uns["group_colors"] = ["#111111", "#222222", "#333333", "#444444"]
    adata.obsm["place"] = np.arange(1200, dtype="f4").reshape(600, 2)
    adata.obsp["near"] = sp.random(600, 600, 0.01, format="csr", dtype="f4", random_state=0)
    adata.varm["load"] = np.arange(adata.n_vars * 3, dtype="f8").reshape(-1, 3)
    adata.layers["half"] = adata.X * np.float32(0.5)
    adata.raw = adata.copy()
    adata.write_h5ad(folder / "counts.h5ad", compression="gzip")
    return folder / "counts.h5ad"


def by_pct(adata, name, most):
    sc.pp.calculate_qc_metrics(adata, qc_vars=[name], inplace=True, percent_top=None)
    kept = adata.obs[f"pct_counts_{name}"] <= most
    for frame in (adata.obs, adata.var):
        frame.drop(columns=[column for column in frame if "counts" in column and column != "n_counts"] + ([name] if name in frame else []),
                   inplace=True)
    adata._inplace_subset_obs(kept.to_numpy())


def all_at_once(adata):
    sc.pp.filter_cells(adata, min_genes=500)
    sc.pp.filter_cells(adata, max_genes=1200)
    sc.pp.filter_cells(adata, min_counts=1000)
    sc.pp.filter_cells(adata, max_counts=4000)
    sc.pp.filter_genes(adata, min_cells=2)
    sc.pp.filter_genes(adata, max_cells=300)
    sc.pp.filter_genes(adata, min_counts=4)
    sc.pp.filter_genes(adata, max_counts=900)


def ribosomal(adata):
    adata.var["ribo"] = adata.var_names.str.match("^(RP[SL]|Rp[sl])")
    by_pct(adata, "ribo", 29.987)


OPTIONS = {
    "everyday": ("--min-genes 700 --min-cells 3", lambda a: (sc.pp.filter_cells(a, min_genes=700), sc.pp.filter_genes(a, min_cells=3))),
    "cells-only": ("--max-counts 2500", lambda a: sc.pp.filter_cells(a, max_counts=2500)),
    "genes-only": ("--min-gene-counts 5", lambda a: sc.pp.filter_genes(a, min_counts=5)),
    "nothing-goes": ("--min-genes 0 --min-cells 0", lambda a: (sc.pp.filter_cells(a, min_genes=0), sc.pp.filter_genes(a, min_cells=0))),
    "all": ("--min-genes 500 --max-genes 1200 --min-counts 1000 --max-counts 4000 --min-cells 2 --max-cells 300 --min-gene-counts 4 "
            "--max-gene-counts 900", all_at_once),
    "ribo": ("--max-pct ribo=29.987", ribosomal),
}


@pytest.mark.parametrize("how", OPTIONS)
def test_options(how, counts, quern_bin, tmp_path):
    words, filtered = OPTIONS[how]
    theirs = sc.read_h5ad(counts)
    filtered(theirs)
    theirs.write_h5ad(tmp_path / "theirs.h5ad")
    report = json.loads(run(quern_bin, "filter", counts, "-o", tmp_path / "out.h5ad", "--json", "-", *words.split()).stdout)
    assert difference(sc.read_h5ad(tmp_path / "theirs.h5ad"), sc.read_h5ad(tmp_path / "out.h5ad"), without=("uns/quern",)) is None
    assert (report["result"]["n_obs"], report["result"]["n_vars"]) == theirs.shape
    assert report["run"]["passes"] == 2


def test_real_values_and_a_layer(counts, quern_bin, tmp_path):
    """Sums of values that are no whole numbers, judged by a layer: within what float32 sums leave open."""
    theirs = sc.read_h5ad(counts)
    theirs.layers["log"] = np.log1p(theirs.X)
    theirs.write_h5ad(tmp_path / "in.h5ad")
    judged = ad.AnnData(theirs.layers["log"], obs=pd.DataFrame(index=theirs.obs_names), var=pd.DataFrame(index=theirs.var_names))
    sc.pp.filter_cells(judged, min_counts=700)
    sc.pp.filter_genes(judged, min_counts=10)
    run(quern_bin, "filter", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", "--layer", "layers/log", "--min-counts", "700",
        "--min-gene-counts", "10", "-q")
    ours = sc.read_h5ad(tmp_path / "out.h5ad")
    assert list(ours.obs_names) == list(judged.obs_names) and list(ours.var_names) == list(judged.var_names)
    for a, b in ((ours.obs, judged.obs), (ours.var, judged.var)):
        assert a["n_counts"].dtype == b["n_counts"].dtype
        np.testing.assert_allclose(a["n_counts"], b["n_counts"], rtol=1e-5)
    cut = theirs[judged.obs_names, judged.var_names]
    assert (ours.layers["log"] != cut.layers["log"]).nnz == 0 and (ours.X != cut.X).nnz == 0


def test_lists(counts, quern_bin, tmp_path):
    before = sc.read_h5ad(counts)
    cells, genes = list(before.obs_names[5:500:3]), list(before.var_names[100:4000:7])
    (tmp_path / "cells.txt").write_text("\n".join(cells[::-1] + ["nobody"]) + "\r\n\n")
    (tmp_path / "genes.txt").write_text("\n".join(genes))
    report = json.loads(run(quern_bin, "filter", counts, "-o", tmp_path / "out.h5ad", "--keep-cells", f"@{tmp_path}/cells.txt",
                            "--keep-genes", f"@{tmp_path}/genes.txt", "--json", "-").stdout)
    assert [warning["code"] for warning in report["warnings"]] == ["names-not-found"] and "nobody" in report["warnings"][0]["text"]
    assert report["run"]["passes"] == 1
    assert difference(before[cells, genes].copy(), sc.read_h5ad(tmp_path / "out.h5ad"), without=("uns/quern",)) is None
    run(quern_bin, "filter", counts, "-o", tmp_path / "both.h5ad", "--keep-cells", f"@{tmp_path}/cells.txt", "--min-cells", "3")
    part = before[cells].copy()
    sc.pp.filter_genes(part, min_cells=3)
    assert difference(part, sc.read_h5ad(tmp_path / "both.h5ad"), without=("uns/quern",)) is None


def test_bytes_do_not_depend_on_how_it_was_computed(counts, quern_bin, tmp_path):
    for path, words in ((counts, "--min-genes 600 --min-cells 3 --max-pct ribo=40"), (counts, "--min-gene-counts 9 --compression none"),
                        (FIXTURES / "duplicates-csr-shuffled.h5ad", "--min-genes 1 --min-cells 1"),
                        (FIXTURES / "modern.h5ad", "--min-counts 1"), (FIXTURES / "csc-gzip.h5ad", "--min-genes 3 --min-cells 3")):
        contents, digests = set(), set()
        for i, how in enumerate(("-t 1", "-t 3 --chunk-nnz 3000", "-m 64MiB --chunk-nnz 10000", "--test-slots 2 -t 2")):
            out = tmp_path / f"{i}.h5ad"
            report = run(quern_bin, "filter", path, "-o", out, "-f", "--no-provenance", "--json", "-", *words.split(), *how.split()).stdout
            digests.add(json.loads(report)["digest"])
            contents.add(out.read_bytes())
        assert len(contents) == 1 and len(digests) == 1, (path.name, words)


def test_bytes_do_not_depend_on_what_is_kept_between_the_passes(counts, quern_bin, tmp_path):
    """With more and more memory: nothing of X is kept, some of it, all of it."""
    contents, kept = set(), []
    for kib in range(16_000, 24_001, 400):
        out = tmp_path / "out.h5ad"
        report = json.loads(run(quern_bin, "filter", counts, "-o", out, "-f", "--no-provenance", "--json", "-", "--min-genes", "600",
                                "--min-cells", "3", "-m", f"{kib}KiB", "--chunk-nnz", "5000").stdout)
        contents.add(out.read_bytes())
        kept.append(report["run"].get("packed_cache", {"rows": 0})["rows"])
    assert len(contents) == 1
    assert kept[0] == 0 and kept[-1] == 600 and any(0 < rows < 600 for rows in kept), kept


def test_repeated_entries_whose_sum_needs_more_bits(quern_bin, tmp_path):
    """float32 entries whose sum float32 does not hold: read again as doubles, then rounded once."""
    adata = ad.AnnData(sp.csr_matrix((np.array([2 ** 24, 1, 1, 5], "f4"), np.array([1, 1, 0, 2], "i4"), np.array([0, 3, 4], "i4")),
                                     shape=(2, 3)))
    adata.write_h5ad(tmp_path / "in.h5ad")
    run(quern_bin, "filter", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", "--min-genes", "2")
    assert sc.read_h5ad(tmp_path / "out.h5ad").X.toarray().tolist() == [[1, 2 ** 24, 0]]


def test_dry_run(counts, quern_bin, tmp_path):
    report = json.loads(run(quern_bin, "filter", counts, "-o", tmp_path / "out.h5ad", "--min-genes", "9", "-n", "--json", "-").stdout)
    plan = report["result"]["plan"]
    assert plan["passes"] == 2 and 0 < plan["cache_bytes"] < plan["budget_bytes"]
    assert plan["needed_bytes"] <= plan["budget_bytes"] and not (tmp_path / "out.h5ad").exists()


REFUSED = {
    "nothing asked": ("", "missing-option"),
    "nothing left": ("--min-genes 1000000", "nothing-left"),
    "no genes left": ("--min-cells 1000000", "nothing-left"),
    "empty range": ("--min-genes 10 --max-genes 9", "bad-number"),
    "no list": ("--keep-cells names.txt", "bad-list"),
    "unreadable list": ("--keep-genes @absent.txt", "unreadable-list"),
    "unknown set": ("--max-pct hb=5", "bad-max-pct"),
    "no percentage": ("--max-pct mt=many", "bad-max-pct"),
    "no name": ("--max-pct 5", "bad-max-pct"),
    "a device": ("--min-genes 3 --backend cuda", "no-device-work"),
    "compression": ("--min-genes 3 --compression best", "bad-compression"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what, counts, quern_bin, tmp_path):
    words, code = REFUSED[what]
    expected = 3 if code == "unreadable-list" else 2
    said = run(quern_bin, "filter", counts, "-o", tmp_path / "out.h5ad", *words.split(), expect=expected).stderr
    assert code in said
    assert not (tmp_path / "out.h5ad").exists()


def names_sha256(names):
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def expected_answers():
    """(file, words, {axis: {kept, names_sha256}}) of every h5ad that the shared data's answers tell of."""
    for path in sorted((SHARED / "expected").glob("*.h5ad.json")):
        answers = json.loads(path.read_text())["numbers"].get("X", {}).get("filter")
        if not answers:
            continue
        file = SHARED / path.name[:-len(".json")]
        yield file, "--min-genes 200 --min-cells 3", {"obs": answers["min_genes_200/cells"], "var": answers["min_genes_200_min_cells_3/genes"]}
        yield file, "--min-counts 500", {"obs": answers["min_counts_500/cells"]}


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no shared data in {SHARED}")
def test_expected_answers(quern_bin, tmp_path):
    answers = list(expected_answers())
    assert len(answers) > 30
    for file, words, axes in answers:
        out = tmp_path / "out.h5ad"
        if any(answer["kept"] == 0 for answer in axes.values()):
            assert "nothing-left" in run(quern_bin, "filter", file, "-o", out, "-f", *words.split(), expect=2).stderr
            continue
        run(quern_bin, "filter", file, "-o", out, "-f", "-q", *words.split())
        with h5py.File(out) as written:
            for axis, answer in axes.items():
                names = written[axis][written[axis].attrs["_index"]].asstr()[:]
                assert (len(names), names_sha256(names)) == (answer["kept"], answer["names_sha256"]), (file.name, axis)
