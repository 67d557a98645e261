"""`aggregate` against sums in Python's fractions, against the answers kept beside the real files, and against itself."""
import json
import os
from fractions import Fraction
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from support.program import read_table, run

DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
FUNCS = "sum,mean,var,count_nonzero"


def answers():
    """(file, matrix, column) of every kept answer."""
    found = []
    for path in sorted((DATA / "expected").glob("*.h5ad.h5")):
        with h5py.File(path) as file:
            def visit(name, item):
                if isinstance(item, h5py.Group) and name.split("/")[-2:-1] == ["aggregate"]:
                    found.append((path.name[:-len(".h5")], name.rsplit("/aggregate/", 1)[0], name.rsplit("/", 1)[1]))
            file.visititems(visit)
    return found


ANSWERS = answers()


def layers(path):
    """(names of the groups, {function: groups x genes}, obs) of an output."""
    adata = ad.read_h5ad(path)
    assert adata.X is None
    return list(adata.obs_names), {name: np.asarray(adata.layers[name]) for name in adata.layers}, adata.obs


@pytest.mark.skipif(not ANSWERS, reason=f"no shared data in {DATA}")
@pytest.mark.parametrize("name, matrix, column", ANSWERS or [("absent", "X", "absent")])
def test_answers(name, matrix, column, quern_bin, tmp_path):
    with h5py.File(DATA / "expected" / f"{name}.h5") as file:
        answer = {key: data[()] for key, data in file[f"{matrix}/aggregate/{column}"].items()}
    run(quern_bin, "aggregate", DATA / name, "--layer", matrix, "--by", column.replace("%2F", "/"), "--func", FUNCS, "-o", tmp_path / "o.h5ad", "-q")
    names, ours, obs = layers(tmp_path / "o.h5ad")
    assert names == [text.decode() for text in answer["groups"]]
    np.testing.assert_array_equal(obs["n_obs_aggregated"], answer["n_obs"])
    np.testing.assert_array_equal(ours["count_nonzero"], answer["count_nonzero"])
    whole = np.array_equal(np.rint(answer["sum"]), answer["sum"])
    for key in ("sum", "mean"):
        np.testing.assert_allclose(ours[key], answer[key], rtol=1e-12 if whole else 1e-6, atol=1e-12 * max(1, np.abs(answer["sum"]).max()))
    np.testing.assert_allclose(ours["var"], answer["var"], rtol=1e-9, atol=1e-12 * max(1, np.nanmax(np.abs(answer["mean"])) ** 2))


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """300 cells with labels of every kind, missing ones among them; counts, and values of both signs."""
    random = np.random.default_rng(9)
    matrix = sp.random(300, 40, density=0.3, format="csr", random_state=9, data_rvs=lambda n: random.poisson(3, n) + 1.0).astype(np.float32)
    matrix.data[::17] = 0
    adata = ad.AnnData(matrix)
    kinds = np.array(["b", "a", "c", "é,\t"], dtype=object)[random.integers(0, 4, 300)]
    adata.obs["kind"] = pd.Categorical(kinds, categories=["unused", "c", "b", "a", "é,\t"], ordered=True)
    some = np.array(["p", "q"], dtype=object)[random.integers(0, 2, 300)]
    some[::9] = np.nan
    adata.obs["some"] = pd.Categorical(some)
    adata.obs["text"] = np.array(["y", "x"], dtype=object)[random.integers(0, 2, 300)]
    adata.obs["flag"] = random.integers(0, 2, 300).astype(bool)
    adata.obs["number"] = random.integers(0, 3, 300)
    adata.obs["real"] = random.random(300)
    adata.obs["each"] = pd.Categorical([f"cell {i:03}" for i in range(300)])
    adata.obs["none"] = pd.Categorical([np.nan] * 300, categories=["a"])
    adata.var["letters"] = list("abcdefghij" * 4)
    adata.layers["signed"] = sp.csr_matrix((random.normal(0, 3, matrix.nnz).astype(np.float32), matrix.indices, matrix.indptr), matrix.shape)
    adata.layers["ints"] = matrix.astype(np.int32)
    adata.layers["mixed"] = matrix.copy()
    adata.layers["mixed"].data[matrix.nnz // 2:] += np.float32(0.3)  # whole numbers, then others
    adata.raw = adata
    path = tmp_path_factory.mktemp("aggregate") / "cells.h5ad"
    ad.settings.allow_write_nullable_strings = False
    adata.obs["text"] = adata.obs["text"].astype(object)
    adata.write_h5ad(path, compression="gzip")
    return path


def naive(matrix, labels):
    """{label: per gene (sum, mean, var, count)} in fractions."""
    dense = np.asarray(matrix.todense())
    out = {}
    for label in sorted({label for label in labels if isinstance(label, tuple) or label == label}):
        rows = dense[[other == label for other in labels]]
        n = len(rows)
        of_genes = []
        for values in rows.T:
            exact = [Fraction(float(value)) for value in values]
            total = sum(exact)
            var = float((sum(x * x for x in exact) - total * total / n) / (n - 1)) if n > 1 else float("nan")
            of_genes.append((float(total), float(total / n), var, int((values != 0).sum())))
        out[label] = np.array(of_genes)
    return out


@pytest.mark.parametrize("layer", ["X", "layers/signed", "layers/ints", "layers/mixed"])
def test_fractions(layer, cells, quern_bin, tmp_path):
    adata = ad.read_h5ad(cells)
    matrix = adata.X if layer == "X" else adata.layers[layer.split("/")[1]]
    wanted = naive(matrix, list(adata.obs["kind"]))
    run(quern_bin, "aggregate", cells, "--layer", layer, "--by", "kind", "--func", FUNCS, "-o", tmp_path / "o.h5ad", "-q")
    names, ours, obs = layers(tmp_path / "o.h5ad")
    assert names == ["c", "b", "a", "é,\t"] and list(obs["kind"].cat.categories) == names and not obs["kind"].cat.ordered
    for i, name in enumerate(names):
        for j, func in enumerate(("sum", "mean")):
            np.testing.assert_array_equal(ours[func][i], wanted[name][:, j])
        np.testing.assert_allclose(ours["var"][i], wanted[name][:, 2], rtol=1e-14)
        np.testing.assert_array_equal(ours["count_nonzero"][i], wanted[name][:, 3])
    assert ours["sum"].dtype == (np.int64 if layer == "layers/ints" else np.float64)
    assert ours["count_nonzero"].dtype == np.int64


def test_groups_add_up_to_the_whole(cells, quern_bin, tmp_path):
    adata = ad.read_h5ad(cells)
    run(quern_bin, "aggregate", cells, "--by", "each", "--func", "sum", "-o", tmp_path / "o.h5ad", "-q")
    _, ours, _ = layers(tmp_path / "o.h5ad")
    np.testing.assert_array_equal(ours["sum"], adata.X.toarray())
    run(quern_bin, "aggregate", cells, "--by", "kind,text", "--func", "sum", "-o", tmp_path / "p.h5ad", "-q")
    _, ours, _ = layers(tmp_path / "p.h5ad")
    np.testing.assert_array_equal(ours["sum"].sum(axis=0), np.asarray(adata.X.sum(axis=0)).ravel())


def test_two_columns_and_missing_labels(cells, quern_bin, tmp_path):
    adata = ad.read_h5ad(cells)
    done = run(quern_bin, "aggregate", cells, "--by", "some,kind", "--func", "sum,count_nonzero", "-o", tmp_path / "o.h5ad", "--json", "-")
    report = json.loads(done.stdout)
    names, ours, obs = layers(tmp_path / "o.h5ad")
    assert names == [f"{a}_{b}" for a in "pq" for b in ["c", "b", "a", "é,\t"]]
    assert list(obs.columns) == ["some", "kind", "n_obs_aggregated"]
    missing = adata.obs["some"].isna().sum()
    assert report["result"]["cells_without_label"] == missing and obs["n_obs_aggregated"].sum() == 300 - missing
    assert "cells-without-label" in {warning["code"] for warning in report["warnings"]}
    for i, (some, kind) in enumerate(zip(obs["some"], obs["kind"])):
        rows = ((adata.obs["some"] == some) & (adata.obs["kind"] == kind)).to_numpy()
        np.testing.assert_array_equal(ours["sum"][i], np.asarray(adata.X[rows].sum(axis=0)).ravel())


@pytest.mark.parametrize("column, levels", [("text", ["x", "y"]), ("flag", ["False", "True"])])
def test_texts_and_truth_values(column, levels, cells, quern_bin, tmp_path):
    adata = ad.read_h5ad(cells)
    run(quern_bin, "aggregate", cells, "--by", column, "-o", tmp_path / "o.h5ad", "-q")
    names, ours, _ = layers(tmp_path / "o.h5ad")
    assert names == levels
    for i, level in enumerate(levels):
        rows = (adata.obs[column].astype(str) == level).to_numpy()
        np.testing.assert_array_equal(ours["sum"][i], np.asarray(adata.X[rows].sum(axis=0)).ravel())


def test_table(cells, quern_bin, tmp_path):
    run(quern_bin, "aggregate", cells, "--by", "kind", "--func", "sum,mean", "-o", tmp_path / "o.tsv.gz", "-q")
    run(quern_bin, "aggregate", cells, "--by", "kind", "--func", "sum,mean", "-o", tmp_path / "o.h5ad", "-q")
    names, ours, _ = layers(tmp_path / "o.h5ad")
    title, genes, columns = read_table(tmp_path / "o.tsv.gz")
    assert title == "gene" and genes == [str(i) for i in range(40)]
    assert list(columns) == [f"{func}:{name}" for func in ("sum", "mean") for name in names]
    for func in ("sum", "mean"):
        for i, name in enumerate(names):
            assert columns[f"{func}:{name}"] == list(ours[func][i])
    alone = pd.read_csv(__import__("io").StringIO(run(quern_bin, "aggregate", cells, "--by", "kind", "-o", "-").stdout), sep="\t", index_col=0)
    assert list(alone.columns) == names and (alone.dtypes == np.int64).all()


def test_raw_has_its_own_genes(cells, quern_bin, tmp_path):
    adata = ad.read_h5ad(cells)[:, :7].copy()
    adata.write_h5ad(tmp_path / "in.h5ad")
    run(quern_bin, "aggregate", tmp_path / "in.h5ad", "--layer", "raw", "--by", "kind", "-o", tmp_path / "o.h5ad", "-q")
    ours = ad.read_h5ad(tmp_path / "o.h5ad")
    assert ours.shape == (4, 40) and list(ours.var["letters"]) == list("abcdefghij" * 4)


def test_on_the_fly_is_as_from_a_normalized_file(cells, quern_bin, tmp_path):
    run(quern_bin, "normalize", cells, "--target-sum", "1e4", "-o", tmp_path / "n.h5ad", "-q")
    first, second = (json.loads(run(quern_bin, "aggregate", file, "--by", "kind", "--func", FUNCS, "--on", on, "-o", tmp_path / f"{on[:5]}.tsv",
                                    "--json", "-").stdout) for file, on in ((cells, "log1p:1e4"), (tmp_path / "n.h5ad", "stored")))
    assert first["digest"] == second["digest"]
    assert (tmp_path / "log1p.tsv").read_bytes() == (tmp_path / "store.tsv").read_bytes()


HOW = {"counts": [], "signed": ["--layer", "layers/signed"], "mixed": ["--layer", "layers/mixed"], "logs": ["--on", "log1p:median"]}


@pytest.mark.parametrize("how", HOW)
def test_same_bits(how, cells, quern_bin, tmp_path):
    digests, tables = set(), set()
    for words in (["-t", "1"], ["-t", "4", "--chunk-nnz", "1"], ["-t", "3", "--chunk-nnz", "400", "--test-slots", "2"], ["--memory", "6MiB", "-t", "2"]):
        done = run(quern_bin, "aggregate", cells, "--by", "kind,some", "--func", FUNCS, *HOW[how], *words, "-o", tmp_path / "o.tsv", "-f", "--json", "-")
        digests.add(json.loads(done.stdout)["digest"])
        tables.add((tmp_path / "o.tsv").read_bytes())
    assert len(digests) == len(tables) == 1


def test_permuted_cells(cells, quern_bin, tmp_path):
    adata = ad.read_h5ad(cells)
    adata[np.random.default_rng(1).permutation(300)].copy().write_h5ad(tmp_path / "p.h5ad")
    digests = {json.loads(run(quern_bin, "aggregate", file, "--by", "kind", "--func", FUNCS, "-o", tmp_path / "o.tsv", "-f", "--json", "-").stdout)
               ["digest"] for file in (cells, tmp_path / "p.h5ad")}
    assert len(digests) == 1  # counts: exact, whatever the order


def test_dry_run_writes_nothing(cells, quern_bin, tmp_path):
    done = run(quern_bin, "aggregate", cells, "--by", "kind", "--on", "log1p:median", "-o", tmp_path / "o.h5ad", "-n", "--json", "-")
    plan = json.loads(done.stdout)["result"]["plan"]
    assert plan["passes"] == 2 and plan["needed_bytes"] > plan["ring_bytes"] > 0 and plan["output_bytes"] == 4 * 40 * 8
    assert not list(tmp_path.iterdir())


BAD = {
    "no column": ("", 2, "missing-option"),
    "absent": ("--by kinds", 2, "no-such-column"),
    "integers": ("--by number", 2, "numeric-labels"),
    "reals": ("--by real", 2, "numeric-labels"),
    "no labels at all": ("--by none", 3, "no-labels"),
    "twice": ("--by kind,kind", 2, "bad-value"),
    "empty": ("--by kind,", 2, "bad-value"),
    "three": ("--by kind,some,text", 2, "bad-value"),
    "function": ("--by kind --func median", 2, "bad-value"),
    "values": ("--by kind --on log", 2, "bad-value"),
    "extension": ("--by kind -o o.csv", 2, "unknown-extension"),
    "a device": ("--by kind --backend cuda", 2, "no-device-work"),
    "memory": ("--by each --memory 64KiB", 5, "over-budget"),
    "layer": ("--by kind --layer layers/no", 3, "no-such-matrix"),
}


@pytest.mark.parametrize("what", BAD)
def test_refusals(what, cells, quern_bin, tmp_path):
    words, status, code = BAD[what]
    output = [] if "-o " in words else ["-o", tmp_path / "o.h5ad"]
    done = run(quern_bin, "aggregate", cells, *words.split(), *output, "--json", tmp_path / "o.json", expect=status, cwd=tmp_path)
    assert json.loads((tmp_path / "o.json").read_text())["error"]["code"] == code
    assert len(done.stderr.strip().splitlines()) <= 4 and [path.name for path in tmp_path.iterdir()] == ["o.json"]


def test_mistyped_words_get_suggestions(cells, quern_bin, tmp_path):
    assert "did you mean kind?" in run(quern_bin, "aggregate", cells, "--by", "knid", "-o", tmp_path / "o.h5ad", expect=2).stderr
    assert "did you mean mean?" in run(quern_bin, "aggregate", cells, "--by", "kind", "--func", "maen", "-o", tmp_path / "o.h5ad", expect=2).stderr


def test_fifty_thousand_levels(quern_bin, tmp_path):
    """They fit where there is room, and where there is not it is said before a value is read."""
    n = 50000
    adata = ad.AnnData(sp.csr_matrix((np.ones(n, np.float32), np.arange(n) % 30, np.arange(n + 1)), shape=(n, 30)))
    adata.obs["each"] = pd.Categorical([f"g{i}" for i in range(n)])
    adata.write_h5ad(tmp_path / "in.h5ad")
    words = ["aggregate", tmp_path / "in.h5ad", "--by", "each", "--func", "sum", "-o", tmp_path / "o.h5ad", "-q"]
    refused = run(quern_bin, *words, "--memory", "24MiB", expect=5)
    assert "50,000 groups" in refused.stderr and "--memory" in refused.stderr
    advice = refused.stderr.split("--memory ")[-1].split()[0]
    assert not (tmp_path / "o.h5ad").exists()
    run(quern_bin, *words, "--memory", advice)
    ours = ad.read_h5ad(tmp_path / "o.h5ad")
    assert ours.shape == (n, 30) and np.asarray(ours.layers["sum"]).sum() == n


def test_nan_and_infinity_are_told(quern_bin, tmp_path):
    adata = ad.AnnData(sp.csr_matrix(np.array([[np.nan, 1, np.inf], [1, 2, 3]], dtype=np.float32)))
    adata.obs["g"] = pd.Categorical(["a", "a"])
    adata.write_h5ad(tmp_path / "in.h5ad")
    report = json.loads(run(quern_bin, "aggregate", tmp_path / "in.h5ad", "--by", "g", "--func", FUNCS, "-o", tmp_path / "o.h5ad", "--json", "-").stdout)
    assert {"has-nan", "has-infinity"} <= {warning["code"] for warning in report["warnings"]}
    _, ours, _ = layers(tmp_path / "o.h5ad")
    assert np.isnan(ours["sum"][0, 0]) and ours["sum"][0, 1] == 3 and ours["sum"][0, 2] == np.inf and ours["count_nonzero"].tolist() == [[2, 2, 2]]


def test_a_directory_has_no_labels(quern_bin, cells, tmp_path):
    run(quern_bin, "convert", cells, "-o", tmp_path / "ten.h5", "-q")
    run(quern_bin, "aggregate", tmp_path / "ten.h5", "--by", "kind", "-o", tmp_path / "o.h5ad", "--json", tmp_path / "o.json", expect=2)
    assert json.loads((tmp_path / "o.json").read_text())["error"]["code"] == "no-such-column"


def test_history_of_runs_is_kept(cells, quern_bin, tmp_path):
    run(quern_bin, "normalize", cells, "-o", tmp_path / "n.h5ad", "-q")
    run(quern_bin, "aggregate", tmp_path / "n.h5ad", "--by", "kind", "-o", tmp_path / "o.h5ad", "-q")
    uns = ad.read_h5ad(tmp_path / "o.h5ad").uns["quern"]
    assert "aggregate" in uns["command"] and "normalize" in uns["history"]["1"]["command"]
