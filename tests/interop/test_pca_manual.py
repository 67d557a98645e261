"""The two pages of the manual about components, as they stand there: from counts to components, and on in scanpy."""
import re
import shlex
import subprocess
import sys

import anndata as ad
import pytest
import scanpy as sc

from conftest import ROOT
from support.program import run

MANUAL = (ROOT / "docs" / "manual.md").read_text(encoding="utf-8")


def block(title):
    section = MANUAL.split(f"#### {title}\n")[1].split("\n#")[0]
    return re.findall(r"```\w*\n(.*?)```", section, re.S)[0]


@pytest.fixture(scope="module")
def folder(quern_bin, tmp_path_factory):
    """Where the commands have run."""
    folder = tmp_path_factory.mktemp("manual")
    run(quern_bin, "generate", folder / "counts.h5ad", "--preset", "pbmc3k", "--cells", "700", "-q")
    commands = [shlex.split(line, comments=True) for line in block("From counts to components").splitlines()]
    assert [words[:2] for words in commands] == [["quern", verb] for verb in ("filter", "hvg", "pca")]
    for words in commands:
        run(quern_bin, *words[1:], cwd=folder)
    return folder


@pytest.mark.filterwarnings("ignore")
def test_from_counts_to_components(folder):
    """As scanpy's own steps on the same counts."""
    ours = ad.read_h5ad(folder / "pca.h5ad")
    theirs = sc.read_h5ad(folder / "kept.h5ad")
    assert (ours.X != theirs.X).nnz == 0, "the counts stay"
    sc.pp.normalize_total(theirs, target_sum=1e4)
    sc.pp.log1p(theirs)
    sc.pp.highly_variable_genes(theirs, n_top_genes=2000)
    sc.pp.pca(theirs)
    assert (ours.var["highly_variable"].to_numpy() == theirs.var["highly_variable"].to_numpy()).mean() > 0.999
    assert abs(ours.uns["pca"]["variance_ratio"] / theirs.uns["pca"]["variance_ratio"] - 1)[:10].max() < 1e-2
    assert ours.obsm["X_pca"].shape == theirs.obsm["X_pca"].shape


def test_from_components_into_scanpy(folder):
    lines = "import matplotlib\nmatplotlib.use('Agg')\n" + block("From components into scanpy")
    last = "print(*adata.obsm['X_umap'].shape, adata.obsp['connectivities'].nnz > 0)"
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", f"{lines}\n{last}"], cwd=folder, capture_output=True, text=True,
                          check=False, timeout=300)
    n_cells = ad.read_h5ad(folder / "pca.h5ad").n_obs
    assert done.returncode == 0 and done.stdout.split() == [str(n_cells), "2", "True"], done.stderr
