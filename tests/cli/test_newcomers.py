"""What people who are new to quern get wrong, and what it then tells them."""
import gzip
import json
import shutil
import signal
import subprocess
import time

import anndata as ad
import numpy as np
import pytest

from support.program import run


@pytest.fixture(name="modern")
def _modern(fixtures_dir):
    return fixtures_dir / "modern.h5ad"


@pytest.fixture(name="larger", scope="module")
def _larger(quern_bin, tmp_path_factory):
    path = tmp_path_factory.mktemp("larger") / "counts.h5ad"
    run(quern_bin, "generate", path, "--preset", "pbmc3k", "--layout", "modern", "-q")
    return path


HINTS = [
    (["qc", "IN", "--memory", "20"], "bad-size", "20MiB or 20GiB?"),
    (["qc", "IN", "--backend", "gpu"], "bad-value", "did you mean cuda?"),
    (["normalize", "IN", "OUT/a.h5ad"], "unexpected-word", "the output is named with -o: -o OUT/a.h5ad"),
    (["convert", "IN", "OUT/a.h5"], "unexpected-word", "-o OUT/a.h5"),
    (["qc", "IN", "OUT/a.h5ad"], "unexpected-word", "-o OUT/a.h5ad"),
    (["info", "IN", "obs", "var"], "unexpected-word", "a name with spaces needs quotes"),
    (["qc", "IN", "--cells-out", "OUT/cells.csv"], "unknown-extension", "cells.tsv"),
    (["qc", "IN", "--genes-out", "OUT/genes.csv.gz"], "unknown-extension", "genes.tsv.gz"),
    (["qc", "IN", "--genes-out", "OUT/genes.xlsx"], "unknown-extension", "genes.tsv"),
    (["filter", "IN", "-o", "OUT/a.h5ad", "--keep-genes", "LIST"], "bad-list", "--keep-genes @LIST"),
    (["filter", "IN", "-o", "OUT/a.h5ad", "--keep-cells", "AAAC-1,AAAG-1"], "bad-list", "--keep-cells @FILE"),
]


@pytest.mark.parametrize("words, code, hint", HINTS, ids=lambda part: " ".join(part) if isinstance(part, list) else None)
def test_hints(words, code, hint, quern_bin, modern, tmp_path):
    (tmp_path / "list.txt").write_text("a\n")
    places = {"IN": str(modern), "OUT": str(tmp_path / "out"), "LIST": str(tmp_path / "list.txt")}

    def placed(text):
        for name, place in places.items():
            text = text.replace(name, place)
        return text

    (tmp_path / "out").mkdir()
    done = run(quern_bin, *map(placed, words), expect=2)
    assert f"[{code}]" in done.stderr and placed(hint) in done.stderr, done.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("typed, meant", [("counts", "layers/dense"), ("dense", "layers/dense"), ("raw.X", "raw"), ("raw/X", "raw")])
def test_layers_go_by_their_full_name(typed, meant, quern_bin, modern):
    done = run(quern_bin, "qc", modern, "--layer", typed, expect=3)
    assert "[no-such-matrix]" in done.stderr and meant in done.stderr
    assert (f"did you mean --layer {meant}?" in done.stderr) == (typed != "counts")


HTML = b"\n  <!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n"
CSV = b"cell,gene_a,gene_b\nc1,1,0\nc2,0,3\n"
KINDS = {
    "an HTML page": HTML,
    "a text table": CSV,
    "a tab-separated text table": CSV.replace(b",", b"\t"),
    "gzip-compressed; inside: a text table": gzip.compress(CSV),
    "gzip-compressed; inside: neither HDF5": gzip.compress(b"some words\n" * 9),
    "JSON text": b'{"X": [1, 2]}',
    "a NumPy array": b"\x93NUMPY\x01\x00v\x00{'descr'",
    "a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "a Parquet file": b"PAR1\x15\x04\x15",
    "a tar archive": b"folder/".ljust(257, b"\0") + b"ustar\x0000" + bytes(240),
    "compressed with xz": b"\xfd7zXZ\x00\x00\x04",
    "compressed with zstd": b"\x28\xb5\x2f\xfd\x04\x58",
    "compressed with bzip2": b"BZh91AY&SY",
}


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_only_have_the_name_are_told_as_what_they_are(kind, quern_bin, tmp_path):
    (tmp_path / "cells.h5ad").write_bytes(KINDS[kind])
    for verb in ("info", "check"):
        done = run(quern_bin, verb, tmp_path / "cells.h5ad", expect=3)
        assert kind in done.stderr + done.stdout, done.stderr


def gene_names(quern_bin, path):
    return [line.split("\t")[0] for line in run(quern_bin, "show", path, "var").stdout.splitlines()[1:]]


def test_a_pattern_that_is_a_file(quern_bin, modern, tmp_path):
    (tmp_path / "stress.txt").write_text("gene\n")
    for verb, more in (("qc", []), ("filter", ["--max-pct", "stress=100", "-o", tmp_path / "a.h5ad"])):
        done = run(quern_bin, verb, modern, "--qc-vars", f"stress={tmp_path}/stress.txt", *more)
        assert "[no-matching-genes]" in done.stderr and f"a list is read with @: --qc-vars stress=@{tmp_path}/stress.txt" in done.stderr


@pytest.mark.parametrize("ending", ["\n", "\r\n", "  \n", "\t\r\n"], ids=repr)
def test_lists_as_other_programs_write_them(ending, quern_bin, modern, tmp_path):
    """A byte order mark, carriage returns, blanks around a name and empty lines are no part of names."""
    genes = gene_names(quern_bin, modern)
    listed = genes[2:9]
    (tmp_path / "genes.txt").write_bytes("\ufeff".encode() + ("".join(f"{gene}{ending}" for gene in listed) + ending + "  ").encode())
    done = run(quern_bin, "filter", modern, "-o", tmp_path / "out.h5ad", "--keep-genes", f"@{tmp_path}/genes.txt")
    assert "names-not-found" not in done.stderr and gene_names(quern_bin, tmp_path / "out.h5ad") == listed
    done = run(quern_bin, "qc", modern, "--qc-vars", f"set=@{tmp_path}/genes.txt")
    assert "names-not-found" not in done.stderr and "no-matching-genes" not in done.stderr


def test_names_with_blanks_around_them_can_be_listed(quern_bin, tmp_path):
    made = ad.AnnData(np.ones((2, 3), "f4"))
    made.var_names = [" a ", "b\t", "c"]
    made.write_h5ad(tmp_path / "in.h5ad")
    (tmp_path / "genes.txt").write_text("a\nb\n")
    run(quern_bin, "filter", tmp_path / "in.h5ad", "-o", tmp_path / "out.h5ad", "--keep-genes", f"@{tmp_path}/genes.txt")
    assert list(ad.read_h5ad(tmp_path / "out.h5ad").var_names) == [" a ", "b\t"]


@pytest.mark.parametrize("content, says", [(gzip.compress(b"a\nb\n"), "gzip-compressed"), ("a\nb\n".encode("utf-16"), "UTF-16"),
                                           (b"a\n\0\0\n", "no text")])
def test_lists_that_are_no_text(content, says, quern_bin, modern, tmp_path):
    (tmp_path / "genes.txt").write_bytes(content)
    for words in (["qc", modern, "--qc-vars"], ["filter", modern, "-o", tmp_path / "a.h5ad", "--keep-genes"]):
        word = f"@{tmp_path}/genes.txt"
        done = run(quern_bin, *words, f"set={word}" if words[0] == "qc" else word, expect=3)
        assert "[unreadable-list]" in done.stderr and says in done.stderr


def test_a_list_of_other_names(quern_bin, modern, tmp_path):
    """Where not one name is found, names of the file are shown beside those of the list."""
    (tmp_path / "genes.txt").write_text("ENSG1\nENSG2\n")
    done = run(quern_bin, "filter", modern, "-o", tmp_path / "a.h5ad", "--keep-genes", f"@{tmp_path}/genes.txt", expect=2)
    assert "[nothing-left]" in done.stderr and "ENSG1" in done.stderr and gene_names(quern_bin, modern)[0] in done.stderr
    genes = gene_names(quern_bin, modern)
    (tmp_path / "genes.txt").write_text("".join(f"{gene},1\n" for gene in genes))
    done = run(quern_bin, "filter", modern, "-o", tmp_path / "a.h5ad", "--keep-genes", f"@{tmp_path}/genes.txt", expect=2)
    assert "one name a line and nothing else" in done.stderr


@pytest.mark.parametrize("words", [["qc", "IN", "--cells-out", "OUT/c.tsv"], ["normalize", "IN", "-o", "OUT/a.h5ad"], ["convert", "IN", "-o", "OUT/a"]],
                         ids=lambda words: words[0])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_is_answered(words, number, quern_bin, larger, tmp_path):
    out = tmp_path / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    words = [word.replace("IN", str(larger)).replace("OUT", str(out)) for word in words]
    process = subprocess.Popen([quern_bin, *words, "--chunk-nnz", "1", "-t", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not list(out.iterdir()) and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(number)
    said = process.communicate(timeout=20)[1].splitlines()
    assert process.returncode == -number and list(out.iterdir()) == []
    assert said[-1] == f"quern {words[0]}: stopped by {number.name}; unfinished outputs are removed"


@pytest.mark.parametrize("verb", ["info", "show", "check"])
def test_verbs_without_a_plan_say_so(verb, quern_bin, modern):
    done = run(quern_bin, verb, modern, "--dry-run", expect=2)
    assert "[unknown-option]" in done.stderr and "reads only what it shows" in done.stderr


def scaled(path, negative_totals=False):
    values = np.array([[3, -2, 0.5], [1, 2, 3], [0, -0.5, 9]], "f4") * (-1 if negative_totals else 1)
    ad.AnnData(values).write_h5ad(path)
    return path


@pytest.mark.parametrize("negative_totals", [False, True])
def test_values_that_normalizing_makes_nan_are_counted(negative_totals, quern_bin, tmp_path):
    """As of scaled data: log1p has no value below -1. Data without such values, and NaN that were there before, are no case of it."""
    path = scaled(tmp_path / "in.h5ad", negative_totals)
    done = run(quern_bin, "normalize", path, "-o", tmp_path / "out.h5ad", "--target-sum", "10", "--json", tmp_path / "out.json")
    n_nan = int(np.isnan(ad.read_h5ad(tmp_path / "out.h5ad").X.data).sum())
    assert n_nan >= 1 and f"{n_nan} value" in done.stderr and "[made-nan]" in done.stderr
    assert json.loads((tmp_path / "out.json").read_text())["result"]["nan_values"] == n_nan
    done = run(quern_bin, "normalize", path, "-o", tmp_path / "linear.h5ad", "--target-sum", "10", "--no-log1p")
    assert "made-nan" not in done.stderr
    ad.AnnData(np.array([[1, np.nan], [2, 3]], "f4")).write_h5ad(tmp_path / "nan.h5ad")
    done = run(quern_bin, "normalize", tmp_path / "nan.h5ad", "-o", tmp_path / "nan-out.h5ad", "--target-sum", "10")
    assert "[has-nan]" in done.stderr
    assert "[made-nan]" in done.stderr and "1 value became NaN" in done.stderr  # the other value of the cell with a NaN
