"""`pca` against exact decompositions in 64-bit floats, of the shared real files and of generated data."""
import json
import os
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sp

from support.program import read_table, run

DATA = Path(os.environ.get("QUERN_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
EXPECTED = DATA / "expected"


def analysed():
    for path in sorted(EXPECTED.glob("*.h5")) if EXPECTED.is_dir() else []:
        with h5py.File(path, "r") as answers:
            if "analysis/pca" in answers:
                yield path.name[:-len(".h5")]


NAMES = list(analysed())
pytestmark = pytest.mark.filterwarnings("ignore")


def one_minus_cosines(ours, theirs):
    """Of rows."""
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return 1 - abs((ours * theirs).sum(axis=1)) / norms


@pytest.mark.skipif(not NAMES, reason=f"no shared data in {DATA}")
@pytest.mark.parametrize("dtype", ["f8", "f4"])
@pytest.mark.parametrize("name", NAMES or ["absent"])
def test_shared_file(name, dtype, quern_bin, tmp_path):
    with h5py.File(EXPECTED / f"{name}.h5", "r") as answers:
        cells, genes = answers["analysis/cells"][()], answers["analysis/genes"][()]
        chosen = answers["analysis/pca/genes"][()]
        variance, ratio, components, scores = (answers[f"analysis/pca/{key}"][()] for key in
                                               ("variance", "variance_ratio", "components", "scores_first_100_cells"))
    analysis = json.loads((EXPECTED / f"{name}.json").read_text())["analysis"]
    run(quern_bin, "convert", DATA / name, "-o", tmp_path / "all.h5ad", "-q", *([] if name.endswith(".h5ad") else ["--feature-type", "all"]))
    adata = ad.read_h5ad(tmp_path / "all.h5ad")
    matrix = adata.raw.X if analysis.get("matrix") == "raw" else adata.X
    counts = ad.AnnData(sp.csr_matrix(matrix)[cells][:, genes].astype(dtype))
    counts.var["chosen"] = np.isin(genes, chosen)
    counts.write_h5ad(tmp_path / "in.h5ad")
    report = json.loads(run(quern_bin, "pca", tmp_path / "in.h5ad", "--on", "log1p:1e4", "--mask", "var/chosen",
                            "-o", tmp_path / "out.h5ad", "--json", "-").stdout)
    out = ad.read_h5ad(tmp_path / "out.h5ad")
    tight = dtype == "f8"
    np.testing.assert_allclose(out.uns["pca"]["variance"], variance, rtol=1e-8 if tight else 1e-6)
    np.testing.assert_allclose(out.uns["pca"]["variance_ratio"], ratio, rtol=1e-8 if tight else 1e-6)
    assert report["result"]["n_comps"] == 50 and report["run"]["passes"] == 1
    loadings = out.varm["PCs"][np.isin(genes, chosen)].T
    assert (out.varm["PCs"][~np.isin(genes, chosen)] == 0).all()
    apart = one_minus_cosines(loadings, components)
    assert apart[:10].max() < (1e-7 if tight else 1e-4) and apart.max() < (1e-5 if tight else 1e-2)
    largest = np.abs(loadings).argmax(axis=1)
    assert (loadings[np.arange(50), largest] > 0).all()
    well_apart = 10
    close = 1e-4 if tight else 1e-2
    np.testing.assert_allclose(out.obsm["X_pca"][:100, :well_apart], scores[:, :well_apart], rtol=close, atol=close)


def made(n_cells, n_genes, seed, density=0.2):
    random = np.random.default_rng(seed)
    programs = random.gamma(0.3, 1.0, (8, n_genes))
    rates = random.dirichlet(np.full(8, 0.3), n_cells) @ programs * random.gamma(2, 0.5, (n_cells, 1)) * density * 4
    return sp.csr_matrix(random.poisson(rates).astype("f4"))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    adata = ad.AnnData(made(700, 240, 1))
    adata.var["highly_variable"] = np.arange(240) % 3 != 0
    adata.layers["half"] = adata.X * np.float32(0.5)
    path = tmp_path_factory.mktemp("pca") / "in.h5ad"
    adata.write_h5ad(path, compression="gzip")
    return path


def pca(binary, file, out, *words):
    return json.loads(run(binary, "pca", file, "-o", out, "--json", "-", "-f", *words).stdout)


def exact(matrix, n):
    centred = matrix - matrix.mean(axis=0)
    u, s, v = np.linalg.svd(centred, full_matrices=False)
    return s[:n] ** 2 / (len(matrix) - 1), v[:n], u[:, :n] * s[:n]


@pytest.mark.parametrize("words,n", [(["--mask", "none"], 50), (["--mask", "none", "--n-comps", "239"], 239), ([], 50), (["--n-comps", 3], 3)])
def test_exact_decomposition(words, n, quern_bin, file, tmp_path):
    adata = ad.read_h5ad(file)
    mask = np.ones(240, bool) if words[:2] == ["--mask", "none"] else adata.var["highly_variable"].to_numpy()
    variance, components, scores = exact(adata.X.toarray().astype(float)[:, mask], n)
    report = pca(quern_bin, file, tmp_path / "out.h5ad", *words)
    out = ad.read_h5ad(tmp_path / "out.h5ad")
    np.testing.assert_allclose(report["result"]["variance"], variance, rtol=1e-9)
    # Half an 80,000th of a degree, of the space of the first ten; scores are 32-bit.
    angles = scipy.linalg.subspace_angles(out.varm["PCs"][mask][:, :10].astype(float), components[:10].T)
    assert angles.max() < 1e-4
    np.testing.assert_allclose(abs(out.obsm["X_pca"][:, :3]), abs(scores[:, :3]), rtol=1e-4, atol=1e-4)
    assert out.varm["PCs"].dtype == ("f4" if mask.all() else "f8") and out.obsm["X_pca"].dtype == "f4"
    assert out.obsm["X_pca"].shape == (700, n)


@pytest.mark.parametrize("how", [["-t", 1], ["-t", 3, "--chunk-nnz", 100], ["-m", "96MiB"], ["--test-slots", 2, "--chunk-nnz", 1]])
def test_same_bits(how, quern_bin, file, tmp_path):
    for on in ("stored", "log1p:1e4", "counts-per:median"):
        digests = {pca(quern_bin, file, tmp_path / f"{i}.h5ad", "--on", on, "--no-provenance", *words)["digest"] for i, words in enumerate(([], [], how))}
        assert len(digests) == 1


MANY = ["--test-most-genes", 100]


@pytest.mark.parametrize("n", [2, 50, 239])
def test_many_genes(n, quern_bin, file, tmp_path):
    """The route of more genes than products are made of, against the decomposition: as exact, whatever holds the rows."""
    variance, components, scores = exact(ad.read_h5ad(file).X.toarray().astype(float), n)
    words = ["--mask", "none", "--n-comps", n]
    report = pca(quern_bin, file, tmp_path / "out.h5ad", *words, *MANY)
    out = ad.read_h5ad(tmp_path / "out.h5ad")
    assert report["result"]["route"] == "krylov" and report["warnings"] == [] and report["run"]["passes"] == 1
    np.testing.assert_allclose(report["result"]["variance"], variance, rtol=1e-9)
    known = pca(quern_bin, file, tmp_path / "products.h5ad", *words)["result"]
    np.testing.assert_allclose(report["result"]["variance_ratio"], known["variance_ratio"], rtol=1e-9)
    few = min(n, 10)
    assert scipy.linalg.subspace_angles(out.varm["PCs"][:, :few].astype(float), components[:few].T).max() < 1e-4
    np.testing.assert_allclose(out.obsm["X_pca"][:, :2], ad.read_h5ad(tmp_path / "products.h5ad").obsm["X_pca"][:, :2], rtol=1e-4, atol=1e-4)
    for how in (["-t", 1], ["-t", 3, "--chunk-nnz", 100], ["--test-slots", 2, "--chunk-nnz", 1]):
        assert pca(quern_bin, file, tmp_path / "again.npy", *words, *MANY, *how)["digest"] == report["digest"]


def test_many_genes_read_again(quern_bin, tmp_path):
    """Each pass from the file: the same bits."""
    ad.AnnData(made(3000, 300, 3, density=0.6)).write_h5ad(tmp_path / "in.h5ad", compression="gzip")
    words = ["--on", "log1p:1e4", "--n-comps", 4, *MANY]
    told = run(quern_bin, "pca", tmp_path / "in.h5ad", "-o", tmp_path / "out.npy", *words, "-m", "3MiB", expect=5).stderr
    least = told.split("give --memory ")[1].split(",")[0]
    kept, again = (pca(quern_bin, tmp_path / "in.h5ad", tmp_path / "out.npy", *words, "-m", memory) for memory in ("1GiB", least))
    assert kept["digest"] == again["digest"] and kept["run"]["passes"] == 1
    assert again["result"]["kept_bytes"] == 0 and again["run"]["passes"] == again["result"]["steps"] + 1


def test_rows_that_are_not_kept_are_read_again(quern_bin, tmp_path):
    """Whatever the budget holds back: the same bits."""
    ad.AnnData(made(6000, 300, 3, density=0.6)).write_h5ad(tmp_path / "in.h5ad", compression="gzip")
    told = run(quern_bin, "pca", tmp_path / "in.h5ad", "-o", tmp_path / "out.npy", "-m", "3MiB", expect=5).stderr
    least = told.split("give --memory ")[1].split(",")[0]
    reports = [pca(quern_bin, tmp_path / "in.h5ad", tmp_path / "out.npy", "--on", "log1p:1e4", "-m", memory) for memory in ("1GiB", least)]
    assert [report["run"]["passes"] for report in reports] == [1, 2]
    assert reports[0]["result"]["kept_bytes"] > 0 and reports[1]["result"]["kept_bytes"] == 0
    assert reports[0]["digest"] == reports[1]["digest"]


def test_scores_alone_are_those_in_the_h5ad(quern_bin, file, tmp_path):
    digests = [pca(quern_bin, file, tmp_path / out)["digest"] for out in ("a.h5ad", "a.npy", "a.tsv")]
    assert len(set(digests)) == 1
    scores = ad.read_h5ad(tmp_path / "a.h5ad").obsm["X_pca"]
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), scores)
    corner, rows, columns = read_table(tmp_path / "a.tsv")
    assert corner == "cell" and rows == list(ad.read_h5ad(file).obs_names) and list(columns) == [f"PC{i}" for i in range(1, 51)]
    np.testing.assert_array_equal(np.array([columns[f"PC{i}"] for i in range(1, 51)], dtype="f4").T, scores)
    assert (tmp_path / "a.cols.tsv").read_text().splitlines()[:3] == ["component", "PC1", "PC2"]


def test_normalize_then_pca_is_pca_on(quern_bin, file, tmp_path):
    run(quern_bin, "normalize", file, "-o", tmp_path / "n.h5ad", "--target-sum", "1e4", "-q")
    assert pca(quern_bin, tmp_path / "n.h5ad", tmp_path / "a.h5ad")["digest"] == pca(quern_bin, file, tmp_path / "b.h5ad", "--on", "log1p:1e4")["digest"]


def test_permuted_cells_and_genes(quern_bin, file, tmp_path):
    adata = ad.read_h5ad(file)
    random = np.random.default_rng(2)
    cells, genes = random.permutation(700), random.permutation(240)
    adata[cells, genes].copy().write_h5ad(tmp_path / "p.h5ad")
    pca(quern_bin, file, tmp_path / "a.h5ad", "--n-comps", 8)
    pca(quern_bin, tmp_path / "p.h5ad", tmp_path / "b.h5ad", "--n-comps", 8)
    a, b = ad.read_h5ad(tmp_path / "a.h5ad"), ad.read_h5ad(tmp_path / "b.h5ad")
    np.testing.assert_allclose(b.uns["pca"]["variance"], a.uns["pca"]["variance"], rtol=1e-10)
    np.testing.assert_allclose(b.obsm["X_pca"], a.obsm["X_pca"][cells], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(b.varm["PCs"], a.varm["PCs"][genes], rtol=1e-6, atol=1e-8)


def test_a_layer(quern_bin, file, tmp_path):
    whole, half = (pca(quern_bin, file, tmp_path / "a.h5ad", "--layer", layer)["result"]["variance"] for layer in ("X", "layers/half"))
    np.testing.assert_allclose(np.array(half) * 4, whole, rtol=1e-12)
    assert ad.read_h5ad(tmp_path / "a.h5ad").uns["pca"]["params"]["layer"] == "half"
