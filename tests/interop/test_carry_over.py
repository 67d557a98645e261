"""`qc -o`: everything a file of any generation holds, as anndata reads it, and the columns that scanpy would add."""
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

from support.compare_anndata import UNREADABLE, WITHOUT_X, difference, plain_index
from support.program import run

FIXTURES = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
SHARED = Path(os.environ.get("QUERN_SHARED_DATA", "/nowhere"))
FILES = sorted(FIXTURES.glob("*.h5ad")) + sorted(SHARED.glob("*.h5ad"))
USABLE = [path for path in FILES if path.stem not in WITHOUT_X]
# What scanpy's function cannot do, or does in a type of 16 bits.
NOT_SCANPYS = {f"empty-{shape}-{kind}" for shape in ("0x0", "12x0") for kind in ("csc", "csr", "dense")} | {"value-bool", "value-f2-dense"}
READABLE = [path for path in USABLE if path.stem not in UNREADABLE]


def test_there_are_files():
    assert len(READABLE) > 120


def without_new(adata, of):
    """`adata` with the columns of obs and var that `of` has."""
    kept = ad.AnnData(X=adata.X, obs=adata.obs[list(of.obs)], var=adata.var[list(of.var)], uns=adata.uns, obsm=dict(adata.obsm),
                      varm=dict(adata.varm), obsp=dict(adata.obsp), varp=dict(adata.varp), layers=dict(adata.layers))
    return kept


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.stem)
def test_everything_is_carried_over(path, quern_bin, tmp_path):
    run(quern_bin, "qc", path, "-o", tmp_path / "out.h5ad", "-q")
    before, after = sc.read_h5ad(path), sc.read_h5ad(tmp_path / "out.h5ad")
    before.obs, before.var = plain_index(before.obs), plain_index(before.var)
    assert difference(before, without_new(after, before), without=("raw", "uns/quern")) is None
    assert (before.raw is None) == (after.raw is None)
    if before.raw is not None:
        raws = [ad.AnnData(side.raw.X, var=side.raw.var, varm=dict(side.raw.varm)) for side in (before, after)]
        assert difference(*raws) is None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", [p for p in USABLE if p.stem in UNREADABLE - {"foreign"}], ids=lambda path: path.stem)
def test_what_scipy_cannot_hold_is_written_so_that_it_can(path, quern_bin, tmp_path):
    run(quern_bin, "qc", path, "-o", tmp_path / "out.h5ad", "-q")
    truth = np.load(path.with_suffix(".npz"))
    after = sc.read_h5ad(tmp_path / "out.h5ad")
    dense = np.zeros(after.shape)
    np.add.at(dense, (truth["rows"], truth["cols"]), truth["values"])
    np.testing.assert_array_equal(after.X.toarray().astype(float), dense)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", [p for p in READABLE if p.stem not in NOT_SCANPYS], ids=lambda path: path.stem)
def test_new_columns_are_scanpys(path, quern_bin, tmp_path):
    adata = sc.read_h5ad(path)
    adata.X = adata.X.copy()
    fresh = ad.AnnData(adata.X, obs=pd.DataFrame(index=adata.obs_names), var=pd.DataFrame(index=adata.var_names))
    top = [n for n in (50, 100, 200, 500) if n <= fresh.n_vars]
    fresh.var["mt"] = [name.lower().startswith("mt-") for name in fresh.var_names]
    sc.pp.calculate_qc_metrics(fresh, qc_vars=["mt"], percent_top=top, inplace=True)
    tables = tmp_path / "cells.tsv", tmp_path / "genes.tsv"
    run(quern_bin, "qc", path, "-o", tmp_path / "out.h5ad", "-q", "--cells-out", tables[0], "--genes-out", tables[1])
    after = sc.read_h5ad(tmp_path / "out.h5ad")
    for ours, theirs, old, table in zip((after.obs, after.var), (fresh.obs, fresh.var), (adata.obs, adata.var), tables):
        assert [name for name in ours if name in theirs and name not in old] == [name for name in theirs if name not in old]
        values = pd.read_csv(table, sep="\t", index_col=0, float_precision="round_trip")
        for name in theirs:
            assert (name, ours[name].dtype) == (name, theirs[name].dtype)
            if name != "mt":  # the tables have their own comparison with scanpy
                np.testing.assert_array_equal(ours[name].to_numpy(), values[name].to_numpy().astype(ours[name].dtype), err_msg=name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["tenx-v2.h5", "tenx-v3.h5", "mtx-old", "mtx-new"])
def test_new_columns_of_10x_are_scanpys(name, quern_bin, tmp_path):
    """scanpy has a matrix directory by columns, and so counts cells and genes in other types."""
    path = FIXTURES / name
    theirs = sc.read_10x_h5(path) if path.suffix else sc.read_10x_mtx(path)
    theirs.var["mt"] = theirs.var_names.str.lower().str.startswith("mt-")
    sc.pp.calculate_qc_metrics(theirs, qc_vars=["mt"], percent_top=None, inplace=True)
    run(quern_bin, "qc", path, "-o", tmp_path / "out.h5ad", "-q", "--percent-top", "none")
    ours = sc.read_h5ad(tmp_path / "out.h5ad")
    assert ours.obs.dtypes.to_dict() == theirs.obs.dtypes.to_dict() and list(ours.obs) == list(theirs.obs)
    assert ours.var.dtypes.to_dict() == theirs.var.dtypes.to_dict() and list(ours.var) == list(theirs.var)


@pytest.mark.filterwarnings("ignore")
def test_old_elements_are_upgraded(quern_bin, tmp_path):
    """Every element of the output is tagged, as anndata 0.8 and later do it."""
    for name in ("generation-0.6", "generation-0.6-late", "generation-0.7", "modern"):
        run(quern_bin, "qc", FIXTURES / f"{name}.h5ad", "-o", tmp_path / f"{name}.h5ad", "-q")
        with h5py.File(tmp_path / f"{name}.h5ad") as file:
            assert dict(file.attrs) == {"encoding-type": "anndata", "encoding-version": "0.1.0"}
            assert set(file) <= {"X", "obs", "var", "obsm", "varm", "obsp", "varp", "uns", "layers", "raw"}
            sparse_parts = {"data", "indices", "indptr"}
            untagged = []
            file.visititems(lambda path, item: untagged.append(path) if "encoding-type" not in item.attrs and
                            path.rsplit("/", 1)[-1] not in sparse_parts else None)
            assert untagged == []


def test_more_columns_than_an_attribute_of_old_holds(quern_bin, tmp_path):
    wide = pd.DataFrame({f"column {i}": np.full(30, i) for i in range(5200)}, index=[f"c{i}" for i in range(30)])
    adata = ad.AnnData(np.eye(30, dtype="f4"), obs=pd.DataFrame(index=wide.index), obsm={"wide": wide})
    adata.write_h5ad(tmp_path / "in.h5ad")
    run(quern_bin, "qc", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", "--percent-top", "none")
    pd.testing.assert_frame_equal(sc.read_h5ad(tmp_path / "out.h5ad").obsm["wide"], wide)


def test_provenance_is_a_chain(quern_bin, tmp_path):
    first, second, bare = tmp_path / "first.h5ad", tmp_path / "second.h5ad", tmp_path / "bare.h5ad"
    run(quern_bin, "qc", FIXTURES / "modern.h5ad", "-o", first, "--qc-vars", "ribo")
    report = json.loads(run(quern_bin, "qc", first, "-o", second, "--json", "-").stdout)
    quern = sc.read_h5ad(second).uns["quern"]
    assert quern["digest"] == report["digest"] and quern["input"] == "first.h5ad" and quern["command"].startswith("quern qc ")
    assert quern["history"]["1"]["parameters"]["qc_vars"] == "ribo" and quern["history"]["1"]["input"] == "modern.h5ad"
    run(quern_bin, "qc", FIXTURES / "modern.h5ad", "-o", bare, "--no-provenance")
    assert "quern" not in sc.read_h5ad(bare).uns


def test_bytes_do_not_depend_on_how_it_was_computed(quern_bin, tmp_path):
    contents = set()
    for i, how in enumerate((["-t", "1"], ["-t", "3", "--chunk-nnz", "7"], ["-m", "64MiB", "--chunk-nnz", "1000"])):
        out = tmp_path / f"{i}.h5ad"
        run(quern_bin, "qc", FIXTURES / "modern.h5ad", "-o", out, "--no-provenance", *how)
        contents.add(out.read_bytes())
    assert len(contents) == 1
