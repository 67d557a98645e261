"""Our tables, as pandas reads them, against the real scanpy on the same files."""
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scanpy as sc

from support.program import run

FOLDER = Path(os.environ.get("QUERN_FIXTURES", Path(__file__).resolve().parents[2] / "build" / "fixtures"))
MANIFEST = FOLDER / "manifest.json"
CASES = [case for case in (json.loads(MANIFEST.read_text())["cases"] if MANIFEST.exists() else []) if "scanpy" in case["tags"]]

FLOAT32 = 2e-6  # scanpy sums in the type of the matrix


def test_there_are_cases():
    assert len(CASES) > 30


def read(case):
    """The AnnData that scanpy makes of a case's file, its matrix in X."""
    path, arguments = FOLDER / case["path"], dict(zip(case["arguments"][::2], case["arguments"][1::2]))
    if path.is_dir():
        return sc.read_10x_mtx(path, make_unique=False)
    if path.suffix == ".h5":
        return sc.read_10x_h5(path, genome=arguments.get("--genome"))
    adata = sc.read_h5ad(path)
    layer = arguments.get("--layer", "X")
    if layer == "raw":
        return adata.raw.to_adata()
    if layer != "X":
        adata.X = adata.layers[layer.removeprefix("layers/")]
    return adata


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_fixture_is_what_it_says(case):
    """scanpy reads from the fixture the matrix and the names that the other tests take for true."""
    adata = read(case)
    assert list(adata.obs_names) == case["obs_names"]
    assert list(adata.var_names) == case["var_names"]
    truth = np.load(FOLDER / case["truth"])
    dense = np.zeros((case["n_obs"], case["n_vars"]))
    np.add.at(dense, (truth["rows"], truth["cols"]), truth["values"])
    found = adata.X.toarray() if hasattr(adata.X, "toarray") else adata.X
    np.testing.assert_array_equal(np.asarray(found, dtype=float), dense)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_calculate_qc_metrics(case, quern_bin, tmp_path):
    adata = read(case)
    top = [n for n in (50, 100, 200, 500) if n <= adata.n_vars]
    adata.var["mt"] = [name.startswith(("MT-", "mt-")) for name in adata.var_names]
    theirs = sc.pp.calculate_qc_metrics(adata, qc_vars=["mt"], percent_top=top)
    files = tmp_path / "cells.tsv", tmp_path / "genes.tsv.gz"
    run(quern_bin, "qc", FOLDER / case["path"], *case["arguments"], "--cells-out", files[0], "--genes-out", files[1])
    for expected, file in zip(theirs, files):
        ours = pd.read_csv(file, sep="\t", index_col=0)
        assert list(ours.columns) == list(expected.columns)
        assert list(ours.index) == list(expected.index)
        for column in expected.columns:
            counts = column.startswith("n_")
            np.testing.assert_allclose(ours[column].to_numpy(float), expected[column].to_numpy(float), rtol=0 if counts else FLOAT32,
                                       atol=0 if counts else 1e-6, err_msg=column)
