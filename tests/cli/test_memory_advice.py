"""The memory that a refusal or a dry run names is enough, the first time it is given."""
import json
import re

import anndata as ad
import pytest

from support.program import run

VERBS = {
    "normalize": [], "normalize everything": ["--key-added", "f", "--exclude-highly-expressed", "--counts-layer", "counts"],
    "filter": ["--min-genes", "100", "--min-cells", "3"], "filter lists": ["--keep-genes", "@LIST", "--max-pct", "mt=50"],
    "convert": [], "convert anew": ["--chunk", "400000", "--dtype", "float64"], "convert 10x": ["--to", "10x"], "convert mtx": ["--to", "mtx"],
}
LAYOUTS = {"modern": ["--layout", "modern"], "legacy": ["--layout", "legacy", "--preset", "tabula-muris-droplet"], "10x": ["--layout", "10x-v3"]}


@pytest.fixture(name="inputs", scope="module")
def _inputs(quern_bin, tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    made = {}
    for layout, words in LAYOUTS.items():
        made[layout] = folder / f"{layout}.{'h5' if layout == '10x' else 'h5ad'}"
        preset = [] if "--preset" in words else ["--preset", "pbmc3k"]
        run(quern_bin, "generate", made[layout], *preset, *words, "--cells", "1500", "-q")
    made["csc"] = folder / "csc.h5ad"
    as_csc(made["modern"], made["csc"])
    return made


def as_csc(path, out):
    adata = ad.read_h5ad(path)
    adata.X = adata.X.tocsc()
    adata.write_h5ad(out)


@pytest.mark.parametrize("how, layout", [(how, layout) for how in VERBS for layout in (*LAYOUTS, "csc")
                                         if (how, layout) != ("convert 10x", "legacy")])  # it has no counts
def test_advice_is_right_the_first_time(how, layout, quern_bin, inputs, tmp_path):
    genes = run(quern_bin, "show", inputs[layout], "var" if layout != "10x" else "X", "--rows" if layout != "10x" else "--cols", ":3000").stdout
    names = [line.split("\t")[0] for line in genes.splitlines()[1:]] if layout != "10x" else genes.splitlines()[0].split("\t")[1:]
    (tmp_path / "list").write_text("\n".join(names))
    more = [word.replace("LIST", str(tmp_path / "list")) for word in VERBS[how]]
    words = [how.split()[0], inputs[layout], "-o", tmp_path / "out.h5ad", *more, "-t", "2"]
    planned = json.loads(run(quern_bin, *words, "-n", "-m", "2MiB", "--json", "-").stdout)
    least = planned["result"]["plan"]["least_bytes"]
    assert "over-budget" in [warning["code"] for warning in planned["warnings"]]
    if (how, layout) != ("convert", "modern"):  # copied chunk by chunk; the plan also holds for files whose entries are out of order
        said = run(quern_bin, *words, "-m", "2MiB", expect=5).stderr
        assert list(tmp_path.iterdir()) == [tmp_path / "list"]
        assert re.search(r"give --memory (\d+)MiB or more", said).group(1) == str(least >> 20)
    run(quern_bin, *words, "-m", str(least))
    assert least < 128 << 20


def test_a_plan_within_the_budget(quern_bin, inputs, tmp_path):
    for verb in ("normalize", "convert", "filter"):
        rule = ["--min-genes", "1"] if verb == "filter" else []
        done = run(quern_bin, verb, inputs["modern"], "-o", tmp_path / "out.h5ad", *rule, "-n", "--json", tmp_path / f"{verb}.json")
        plan = json.loads((tmp_path / f"{verb}.json").read_text())["result"]["plan"]
        assert plan["least_bytes"] <= plan["needed_bytes"] <= plan["budget_bytes"] and "least " in done.stdout
