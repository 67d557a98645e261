"""`multiply` as a user meets it: what is refused, and how; where the result goes; what a run would take."""
import json

import anndata
import numpy as np
import pytest
import scipy.sparse as sp

from support.program import read_table, run

N_CELLS, N_GENES = 40, 12


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    random = np.random.default_rng(5)
    counts = sp.random(N_CELLS, N_GENES, density=0.4, random_state=random, data_rvs=lambda n: random.integers(1, 9, n)).tocsr().astype("f4")
    adata = anndata.AnnData(counts)
    adata.var_names = [f"G{i}" for i in range(N_GENES)]
    adata.obs_names = [f"c{i}" for i in range(N_CELLS)]
    adata.var["chosen"] = np.arange(N_GENES) % 2 == 0
    adata.obsm["X_old"] = random.normal(size=(N_CELLS, 2))
    adata.varm["old"] = random.normal(size=(N_GENES, 3))
    adata.raw = adata
    path = tmp_path_factory.mktemp("multiply") / "in.h5ad"
    adata.write_h5ad(path)
    return path


@pytest.fixture(name="folder")
def folder_(tmp_path):
    """Good and bad factors."""
    random = np.random.default_rng(1)
    good = random.normal(size=(N_GENES, 3))
    np.save(tmp_path / "b.npy", good)
    np.save(tmp_path / "cells.npy", random.normal(size=(N_CELLS, 3)))
    np.save(tmp_path / "wide.npy", np.zeros((N_GENES, 257)))
    np.save(tmp_path / "none.npy", np.zeros((N_GENES, 0)))
    np.save(tmp_path / "ints.npy", np.zeros((N_GENES, 2), dtype=int))
    np.save(tmp_path / "objects.npy", np.array([[1, "x"]] * N_GENES, dtype=object))
    np.save(tmp_path / "cube.npy", np.zeros((N_GENES, 2, 2)))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "b.npy").read_bytes()[:-1])
    rows = [f"G{i}\t{i}\n" for i in range(N_GENES)]
    (tmp_path / "b.tsv").write_text("g\tk\n" + "".join(rows))
    (tmp_path / "short.tsv").write_text("g\tk\n" + "".join(rows[:-1]))
    (tmp_path / "other.tsv").write_text("g\tk\n" + "".join(rows) + "nobody\t1\n")
    (tmp_path / "twice.tsv").write_text("g\tk\n" + "".join(rows) + rows[0])
    (tmp_path / "word.tsv").write_text("g\tk\n" + "".join(rows[:-1]) + "G11\tmany\n")
    (tmp_path / "names").write_text("G1\nG7\n")
    return tmp_path


REFUSALS = [
    ([], "missing-option", 2), (["--by", "b.npy"], "missing-option", 2), (["-o", "a.npy"], "missing-option", 2),
    (["--by", "b.npy", "-o", "a.csv"], "unknown-extension", 2), (["--by", "b.csv", "-o", "a.npy"], "unknown-extension", 2),
    (["--by", "absent.npy", "-o", "a.npy"], "not-found", 3), (["--by", "absent.tsv", "-o", "a.npy"], "not-found", 3),
    (["--by", "cells.npy", "-o", "a.npy"], "bad-factor", 2), (["--by", "b.npy", "--transpose", "-o", "a.npy"], "bad-factor", 2),
    (["--by", "wide.npy", "-o", "a.npy"], "bad-factor", 2), (["--by", "none.npy", "-o", "a.npy"], "bad-factor", 2),
    (["--by", "ints.npy", "-o", "a.npy"], "bad-type", 3), (["--by", "objects.npy", "-o", "a.npy"], "bad-type", 3),
    (["--by", "cube.npy", "-o", "a.npy"], "bad-shape", 3), (["--by", "cut.npy", "-o", "a.npy"], "truncated", 3),
    (["--by", "short.tsv", "-o", "a.npy"], "factor-names", 2), (["--by", "other.tsv", "-o", "a.npy"], "factor-names", 2),
    (["--by", "twice.tsv", "-o", "a.npy"], "factor-names", 2), (["--by", "word.tsv", "-o", "a.npy"], "bad-table", 3),
    (["--by", "b.npy", "-o", "a.h5ad"], "missing-option", 2), (["--by", "b.npy", "-o", "a.npy", "--key", "obsm/a"], "bad-key", 2),
    (["--by", "b.npy", "-o", "a.h5ad", "--key", "varm/a"], "bad-key", 2), (["--by", "b.npy", "-o", "a.h5ad", "--key", "obsm/"], "bad-key", 2),
    (["--by", "b.npy", "-o", "a.h5ad", "--key", "obsm/a/b"], "bad-key", 2), (["--by", "b.npy", "-o", "a.h5ad", "--key", "a"], "bad-key", 2),
    (["--by", "cells.npy", "--transpose", "-o", "a.h5ad", "--key", "obsm/a"], "bad-key", 2),
    (["--by", "cells.npy", "--transpose", "-o", "a.h5ad", "--key", "varm/a", "--genes", "@names"], "two-choices", 2),
    (["--by", "cells.npy", "--transpose", "-o", "a.h5ad", "--key", "varm/a", "--layer", "raw"], "raw-genes", 2),
    (["--by", "b.npy", "-o", "a.npy", "--on", "log1p"], "bad-value", 2), (["--by", "b.npy", "-o", "a.npy", "--genes", "names"], "bad-list", 2),
    (["--by", "b.npy", "-o", "a.npy", "-m", "1MiB"], "over-budget", 5), (["--by", "b.npy", "-o", "b.npy", "-f"], "same-file", 4),
    (["--by", "b.npy", "-o", "b.npy"], "exists", 4), (["--by", "b.npy", "-o", "absent/a.npy"], "no-such-folder", 4),
]


@pytest.mark.parametrize("words,code,status", REFUSALS, ids=lambda part: " ".join(part) if isinstance(part, list) else str(part))
def test_refusals(words, code, status, quern_bin, file, folder):
    before = sorted(path.name for path in folder.iterdir())
    done = run(quern_bin, "multiply", file, *words, expect=status, cwd=folder)
    if code in ("same-file", "exists"):
        assert "[same-file]" in done.stderr or "[exists]" in done.stderr
    else:
        assert f"[{code}]" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) <= 3
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize("transposed", [False, True])
def test_into_an_h5ad(transposed, quern_bin, file, folder):
    x = anndata.read_h5ad(file).X.astype(float)
    b = np.load(folder / ("cells.npy" if transposed else "b.npy"))
    how = ["--by", folder / "cells.npy", "--transpose", "--key", "varm/new"] if transposed else ["--by", folder / "b.npy", "--key", "obsm/X_new"]
    report = json.loads(run(quern_bin, "multiply", file, *how, "-o", folder / "o.h5ad", "--json", "-").stdout)
    out, before = anndata.read_h5ad(folder / "o.h5ad"), anndata.read_h5ad(file)
    np.testing.assert_allclose(out.varm["new"] if transposed else out.obsm["X_new"], (x.T if transposed else x) @ b, rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(out.obsm["X_old"], before.obsm["X_old"])
    np.testing.assert_array_equal(out.varm["old"], before.varm["old"])
    assert (out.X != before.X).nnz == 0 and out.raw is not None
    assert out.uns["quern"]["digest"] == report["digest"] and out.uns["quern"]["digest"] != ""
    plain = json.loads(run(quern_bin, "multiply", file, *how[:3 if transposed else 2], "-o", folder / "o.npy", "--json", "-").stdout)
    assert plain["digest"] == report["digest"]
    replaced = ["--key", "varm/old"] if transposed else ["--key", "obsm/X_old"]
    run(quern_bin, "multiply", file, *how[:3 if transposed else 2], *replaced, "-o", folder / "r.h5ad", "-m", "64MiB")
    again = anndata.read_h5ad(folder / "r.h5ad")
    np.testing.assert_array_equal(again.varm["old"] if transposed else again.obsm["X_old"], np.load(folder / "o.npy"))


def test_large_integers_begin_again(quern_bin, folder):
    """A whole number that 32-bit floats do not hold, in the last cells: what was written before is written anew."""
    x = np.arange(1, 2001).reshape(500, 4).astype(np.int32)
    x[-1, 3] = 2**24 + 1
    anndata.AnnData(sp.csr_matrix(x)).write_h5ad(folder / "in.h5ad")
    b = np.eye(4)
    np.save(folder / "eye.npy", b)
    for out in ("o.npy", "o.h5ad"):
        key = ["--key", "obsm/a"] if out.endswith("h5ad") else []
        run(quern_bin, "multiply", folder / "in.h5ad", "--by", folder / "eye.npy", "-o", folder / out, *key, "--chunk-nnz", 100)
    np.testing.assert_array_equal(np.load(folder / "o.npy"), x)
    np.testing.assert_array_equal(anndata.read_h5ad(folder / "o.h5ad").obsm["a"], x)
    np.save(folder / "cells.npy", np.eye(500, 256))
    run(quern_bin, "multiply", folder / "in.h5ad", "--by", folder / "cells.npy", "--transpose", "-o", folder / "t.npy", "--chunk-nnz", 100)
    np.testing.assert_array_equal(np.load(folder / "t.npy"), x[:256].T)


def test_table_out(quern_bin, file, folder):
    run(quern_bin, "multiply", file, "--by", folder / "b.tsv", "-o", folder / "o.tsv.gz")
    head, names, columns = read_table(folder / "o.tsv.gz")
    x = anndata.read_h5ad(file).X.toarray()
    assert head == "cell" and names == [f"c{i}" for i in range(N_CELLS)] and columns == {"k": (x @ np.arange(N_GENES)).tolist()}


def test_numbers_that_are_not_finite(quern_bin, file, folder):
    """As in scipy: only what is stored meets them."""
    b = np.load(folder / "b.npy")
    b[3, 1], b[5, 0] = np.nan, np.inf
    np.save(folder / "n.npy", b)
    report = json.loads(run(quern_bin, "multiply", file, "--by", folder / "n.npy", "-o", folder / "o.npy", "--json", "-").stdout)
    assert [warning["code"] for warning in report["warnings"]] == ["factor-not-finite"]
    np.testing.assert_allclose(np.load(folder / "o.npy"), anndata.read_h5ad(file).X.astype(float) @ b, rtol=1e-13)


def test_dry_run(quern_bin, file, folder):
    before = sorted(folder.iterdir())
    for how in (["--by", folder / "b.npy"], ["--by", folder / "cells.npy", "--transpose"]):
        report = json.loads(run(quern_bin, "multiply", file, *how, "-o", folder / "o.npy", "-n", "--json", "-", "--on", "log1p:median").stdout)
        assert report["result"]["plan"]["passes"] == 2 and sorted(folder.iterdir()) == before
    done = run(quern_bin, "multiply", file, "--by", folder / "b.npy", "-o", folder / "o.npy", "-n", "-m", "1MiB", expect=5)
    assert "[over-budget]" in done.stderr


def test_report(quern_bin, file, folder):
    report = json.loads(run(quern_bin, "multiply", file, "--by", folder / "b.npy", "-o", folder / "o.npy", "--on", "log1p:1e4", "--json", "-").stdout)
    result = report["result"]
    assert report["schema"] == "quern.multiply/1"
    assert (result["n_obs"], result["n_vars"], result["rows"], result["columns"], result["transposed"]) == (N_CELLS, N_GENES, N_CELLS, 3, False)
    assert result["on"] == "log1p:10000" and result["target"] == 1e4 and result["key"] is None
    assert result["by"] == {"path": str(folder / "b.npy"), "type": "float64", "matched": "by position"}
    assert report["run"]["passes"] == 1 and len(report["digest"]) == 32
    told = run(quern_bin, "multiply", file, "--by", folder / "b.npy", "-o", folder / "o2.npy").stdout
    assert "40 cells x 3" in told and "o2.npy" in told
