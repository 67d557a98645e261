"""The everyday chain of the first page, as it stands there: the commands, then the lines of scanpy that go on from them."""
import re
import shlex
import subprocess
import sys

from conftest import ROOT
from support.program import run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_day(quern_bin, tmp_path):
    section = README.split("## Every day")[1].split("\n## ")[0]
    shell, python = re.findall(r"```\w*\n(.*?)```", section, re.S)
    run(quern_bin, "generate", tmp_path / "counts.h5ad", "--preset", "pbmc3k", "--cells", "700", "-q")
    commands = [shlex.split(line, comments=True) for line in shell.splitlines()]
    assert [words[1] for words in commands] == ["qc", "filter", "normalize", "hvg"]
    for words in commands:
        assert words[0] == "build/quern"
        run(quern_bin, *words[1:], cwd=tmp_path)
    last = "print(adata.uns['pca']['variance'].shape, adata.var['highly_variable'].sum())"
    done = subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", f"{python}\n{last}"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.split() == ["(50,)", "2000"], done.stderr
