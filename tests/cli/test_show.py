"""`quern show` against what h5py, numpy and anndata read of the same files."""
import io
import json
import os
import pty
import subprocess

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from support.program import number, run


def table(text):
    """(header, rows of texts); quoted fields as pandas reads them."""
    lines = [line.split("\t") for line in text.splitlines()]
    return lines[0], lines[1:]


def show(binary, file, *words):
    return table(run(binary, "show", file, *words, "-q").stdout)


def cases(fixtures_dir):
    return json.loads((fixtures_dir / "manifest.json").read_text())["cases"]


def truth_of(fixtures_dir, case):
    stored = np.load(fixtures_dir / case["truth"])
    out = np.zeros((case["n_obs"], case["n_vars"]), dtype=object)
    for row, column, value in zip(stored["rows"], stored["cols"], stored["values"].tolist()):
        out[row, column] += value
    return out


def differing(texts, expected):
    """Values whose text does not read back to the expected number; booleans and 16-bit floats go by what they hold."""
    found = []
    for text, value in zip(texts, expected, strict=True):
        ours = {"True": 1, "False": 0}[text] if text in ("True", "False") else number(text)
        same = ours == value or (ours != ours and value != value) or float(np.float16(value)) == ours or float(np.float32(value)) == ours
        if not same:
            found.append((text, value))
    return found


@pytest.mark.parametrize("words", [[], ["-m", "2MiB"]], ids=["default", "little-memory"])
def test_every_fixture_whole(quern_bin, fixtures_dir, words):
    for case in cases(fixtures_dir):
        if words and (case["n_vars"] > 1000 or case["name"].startswith("chunks-giant-")):  # chunks that only decode as a whole
            continue
        header, rows = show(quern_bin, fixtures_dir / case["path"], *case["arguments"], *words)
        expected = truth_of(fixtures_dir, case)
        assert header[0] == "cell", case["name"]
        if case["var_names"] is not None:
            assert header[1:] == case["var_names"], case["name"]
        if case["obs_names"] is not None:
            assert [row[0] for row in rows] == case["obs_names"], case["name"]
        assert len(rows) == case["n_obs"], case["name"]
        for number_of_row, row in enumerate(rows):
            assert not differing(row[1:], expected[number_of_row]), (case["name"], number_of_row)


SLICES = [(":5", ":5"), ("-3:", "10:20"), ("7:8", ":"), (":", "-1:"), ("3:1", ":"), ("30:900", "60:900"), (":-30", "-900:3"), ("5:5", "5:5")]


@pytest.mark.parametrize("memory", ["2GiB", "2MiB"])  # the lesser one inflates giant chunks piecewise
@pytest.mark.parametrize("name", ["modern", "modern-layer-csc", "modern-layer-dense", "csr-giant", "csc-giant", "chunks-giant", "csr-shuffled",
                                  "dense-tiles-gzip", "dense-one-tile", "duplicates-csr-shuffled", "duplicates-csc-shuffled", "mtx-new-genes",
                                  "tenx-v3-genes", "generation-0.6", "chunks-unallocated"])
def test_slices(quern_bin, fixtures_dir, name, memory):
    case = next(case for case in cases(fixtures_dir) if case["name"] == name)
    expected = truth_of(fixtures_dir, case)
    for rows, columns in SLICES:
        pick = tuple(slice(*[int(end) if end else None for end in text.split(":")]) for text in (rows, columns))
        header, found = show(quern_bin, fixtures_dir / case["path"], *case["arguments"], f"--rows={rows}", f"--cols={columns}", "-m", memory)
        part = expected[pick]
        assert len(header) - 1 == part.shape[1]
        assert len(found) == part.shape[0]
        for texts, values in zip(found, part):
            assert not differing(texts[1:], values), (rows, columns)


@pytest.mark.parametrize("name", ["modern", "modern-layer-csc", "modern-layer-dense", "duplicates-csc-sorted", "csr-giant", "csc-giant"])
def test_names_in_file_order(quern_bin, fixtures_dir, name):
    case = next(case for case in cases(fixtures_dir) if case["name"] == name)
    expected = truth_of(fixtures_dir, case)
    genes, cells = ["Gene0030", "MT-ND1", "Gene0031", "Gene0002"], ["CELL00020-1", "CELL00003-1"]
    header, rows = show(quern_bin, fixtures_dir / case["path"], *case["arguments"], "--col-names", ",".join(genes), "--row-names", cells[0],
                        "--row-names", cells[1])
    columns = sorted(case["var_names"].index(gene) for gene in genes)
    assert header[1:] == [case["var_names"][column] for column in columns]
    assert [row[0] for row in rows] == sorted(cells)
    for row, place in zip(rows, (3, 20), strict=True):
        assert not differing(row[1:], expected[place][columns])


@pytest.mark.parametrize("name", ["modern", "explicit-zeros-csr", "explicit-zeros-csc", "modern-layer-dense", "duplicates-csr-sorted"])
def test_triplets(quern_bin, fixtures_dir, name):
    case = next(case for case in cases(fixtures_dir) if case["name"] == name)
    stored = np.load(fixtures_dir / case["truth"])
    header, rows = show(quern_bin, fixtures_dir / case["path"], *case["arguments"], "--sparse", "--rows", "2:30", "--cols", "5:60")
    assert header == ["cell", "gene", "value"]
    entries = {}
    for row, column, value in zip(stored["rows"], stored["cols"], stored["values"].tolist()):
        if 2 <= row < 30 and 5 <= column < 60:
            place = (case["obs_names"][row], case["var_names"][column])
            entries[place] = entries.get(place, 0) + value
    if case["stored"] is None:
        entries = {place: value for place, value in entries.items() if value}
    found = {(row, column): number(value) for row, column, value in rows}
    assert len(found) == len(rows)
    assert found == entries


def frame_text(values):
    """The texts that show prints of a pandas column."""
    missing = pd.isna(values)
    out = []
    for value, absent in zip(values, missing):
        if isinstance(value, (float, np.floating)) and np.isnan(value) and values.dtype.kind == "f":
            out.append("nan")
        elif absent:
            out.append("")
        elif isinstance(value, (float, np.floating)):
            out.append(np.format_float_positional(np.float64(value), trim="-") if 1e-4 <= abs(value) < 1e16 or value == 0 else repr(float(value)))
        else:
            out.append(str(value))
    return out


@pytest.mark.parametrize("file", ["modern", "nullable-index", "foreign", "generation-0.7", "generation-0.6", "generation-0.6-late", "generation-0.5",
                                  "mixture", "no-columns"])
def test_frames(quern_bin, fixtures_dir, file):
    path = fixtures_dir / f"{file}.h5ad"
    with h5py.File(path) as root:
        readable = set(root) <= {"X", "obs", "var", "uns", "obsm", "varm", "obsp", "varp", "layers", "raw", "raw.X", "raw.var", "raw.varm"}
    data = anndata.read_h5ad(path) if readable else None
    for name, word in (("obs", "cell"), ("var", "gene")):
        whole = run(quern_bin, "show", path, name, "-q").stdout
        if data is None:
            assert whole.startswith(word)
            continue
        frame = getattr(data, name)
        ours = pd.read_csv(io.StringIO(whole), sep="\t", index_col=0, dtype=str, keep_default_na=False)
        assert whole.split("\t", 1)[0].split("\n", 1)[0] == word
        assert ours.index.tolist() == frame.index.tolist()
        assert ours.columns.tolist() == frame.columns.tolist()
        for column in frame.columns:
            assert ours[column].tolist() == frame_text(frame[column]), column
        if frame.shape[1]:
            header, rows = show(quern_bin, path, name, "--rows=-2:", "--col-names", frame.columns[0])
            assert header == [word, frame.columns[0]]
            assert [row[1] for row in rows] == frame_text(frame[frame.columns[0]])[-2:]
            assert show(quern_bin, path, f"{name}/{frame.columns[0]}", "--rows=-2:") == (header, rows)


def test_raw_var(quern_bin, fixtures_dir):
    for file in ("modern", "generation-0.7", "generation-0.6"):
        header, rows = show(quern_bin, fixtures_dir / f"{file}.h5ad", "raw/var", "--cols=:1")
        assert header[0] == "gene" and len(rows) == {"modern": 90, "generation-0.7": 80, "generation-0.6": 75}[file]


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    """One of everything, as anndata writes it."""
    rng = np.random.default_rng(3)
    n, m = 12, 7
    data = anndata.AnnData(sp.random(n, m, 0.5, "csr", dtype=np.float32, random_state=1), obs=pd.DataFrame(index=[f"c{i}" for i in range(n)]),
                           var=pd.DataFrame(index=[f"g{i}" for i in range(m)]))
    data.obsm["X_pca"] = rng.normal(size=(n, 3))
    data.obsm["frame"] = pd.DataFrame({"a": np.arange(n), "b": list("xy" * 6)}, index=data.obs_names)
    data.obsm["sparse"] = sp.random(n, 4, 0.5, "csr", random_state=2)
    data.varm["PCs"] = rng.normal(size=(m, 2)).astype(np.float32)
    data.obsp["distances"] = sp.random(n, n, 0.3, "csr", random_state=5)
    data.varp["links"] = np.eye(m)
    data.uns = {
        "title": "a title", "count": 3, "ratio": 0.1, "flag": True, "none": None, "colors": np.array(["#ff0000", "#00ff00"], dtype=object),
        "numbers": np.arange(5) / 4, "nested": {"deep": {"deeper": np.array([1, 2, 3])}, "word": "here"},
        "sparse": sp.random(5, 4, 0.5, "csc", random_state=4), "frame": pd.DataFrame({"p": [0.5, np.nan]}, index=["r1", "r2"]),
        "labels": pd.Categorical(["b", None, "a"]), "cube": np.arange(24).reshape(2, 3, 4), "words": np.array([["a", "b"], ["c", "d"]], dtype=object),
        "groups": np.array([("g1", 1.5), ("g2", -2.0)], dtype=[("name", "U8"), ("score", "f4")]), "complex": np.array([1 + 2j, -0.5j]),
        "maybe": pd.array([1, None, 3], dtype="Int64"), "empty": np.array([]), "big": np.array([2**63 + 1, 0], dtype=np.uint64)}
    path = tmp_path_factory.mktemp("rich") / "rich.h5ad"
    data.write_h5ad(path, compression="gzip")
    return path


VALUES = [("title", "a title"), ("count", "3"), ("ratio", "0.1"), ("flag", "True"), ("none", "null"), ("nested/word", "here")]


@pytest.mark.parametrize("key,text", VALUES)
def test_single_values(quern_bin, rich, key, text):
    assert run(quern_bin, "show", rich, f"uns/{key}").stdout == text + "\n"


TABLES = [
    ("uns/colors", ["row", "value"], [["0", "#ff0000"], ["1", "#00ff00"]]),
    ("uns/numbers", ["row", "value"], [["0", "0"], ["1", "0.25"], ["2", "0.5"], ["3", "0.75"], ["4", "1"]]),
    ("uns/nested/deep/deeper", ["row", "value"], [["0", "1"], ["1", "2"], ["2", "3"]]),
    ("uns/frame", ["index", "p"], [["r1", "0.5"], ["r2", "nan"]]),
    ("uns/labels", ["row", "value"], [["0", "b"], ["1", ""], ["2", "a"]]),
    ("uns/maybe", ["row", "value"], [["0", "1"], ["1", ""], ["2", "3"]]),
    ("uns/words", ["row", "0", "1"], [["0", "a", "b"], ["1", "c", "d"]]),
    ("uns/groups", ["row", "name", "score"], [["0", "g1", "1.5"], ["1", "g2", "-2"]]),
    ("uns/complex", ["row", "value"], [["0", "(1+2j)"], ["1", "(0-0.5j)"]]),
    ("uns/empty", ["row", "value"], []),
    ("uns/big", ["row", "value"], [["0", str(2**63 + 1)], ["1", "0"]]),
]


@pytest.mark.parametrize("key,header,rows", TABLES, ids=[row[0] for row in TABLES])
def test_tables_in_uns(quern_bin, rich, key, header, rows):
    ours_header, ours_rows = show(quern_bin, rich, key)
    assert ours_header == header
    assert [["-0" if text == "-0" else text.replace("(-0", "(0") for text in row] for row in ours_rows] == rows


def test_arrays_of_any_rank(quern_bin, rich):
    header, rows = show(quern_bin, rich, "uns/cube", "--rows=1:")
    assert header == ["row"] + [f"{i},{j}" for i in range(3) for j in range(4)]
    assert rows == [["1"] + [str(12 + i) for i in range(12)]]


MATRICES = [("obsm/X_pca", "cell", "column"), ("obsm/sparse", "cell", "column"), ("varm/PCs", "gene", "column"), ("obsp/distances", "cell", "other_cell"),
            ("varp/links", "gene", "other_gene"), ("uns/sparse", "row", "column")]


@pytest.mark.parametrize("key,rows_are,columns_are", MATRICES, ids=[row[0] for row in MATRICES])
def test_other_matrices(quern_bin, rich, key, rows_are, columns_are):
    data = anndata.read_h5ad(rich)
    group, name = key.split("/")
    matrix = getattr(data, group)[name]
    dense = matrix.toarray() if sp.issparse(matrix) else np.asarray(matrix)
    names = {"cell": list(data.obs_names), "gene": list(data.var_names)}
    header, rows = show(quern_bin, rich, key)
    numbers = [str(i) for i in range(dense.shape[1])]
    assert header == [rows_are] + names.get(columns_are.removeprefix("other_"), numbers)
    assert [row[0] for row in rows] == names.get(rows_are, [str(i) for i in range(dense.shape[0])])
    assert np.array_equal(np.array([[float(text) for text in row[1:]] for row in rows]), dense)
    assert show(quern_bin, rich, key, "--sparse")[0] == [rows_are, columns_are, "value"]


def test_frame_in_obsm(quern_bin, rich):
    header, rows = show(quern_bin, rich, "obsm/frame", "--rows=:2")
    assert header[1:] == ["a", "b"] and rows == [["c0", "0", "x"], ["c1", "1", "y"]]


def test_groups_are_listed(quern_bin, rich):
    header, rows = show(quern_bin, rich, "uns")
    assert header == ["name", "kind", "shape", "value"]
    found = {row[0]: row[1:] for row in rows}
    assert sorted(found) == sorted(anndata.read_h5ad(rich).uns)
    assert found["title"] == ["string", "", "a title"]
    assert found["nested"] == ["dict", "2 keys", ""]
    assert found["sparse"] == ["csc_matrix", "5 x 4", ""]
    assert found["frame"] == ["dataframe", "2 x 1", ""]
    assert found["labels"] == ["categorical", "3", ""]
    assert [row[0] for row in show(quern_bin, rich, "obsm")[1]] == ["X_pca", "frame", "sparse"]


def test_old_obsm_is_one_table(quern_bin, fixtures_dir):
    path = fixtures_dir / "generation-0.6.h5ad"
    assert [row[0] for row in show(quern_bin, path, "obsm")[1]] == ["X_pca", "X_umap"]
    header, rows = show(quern_bin, path, "obsm/X_umap", "--rows=:1")
    assert header == ["cell", "0", "1"] and rows == [["CELL00000-1", "0", "0"]]


def test_genomes(quern_bin, fixtures_dir):
    path = fixtures_dir / "tenx-v2-genomes.h5"
    by_option = show(quern_bin, path, "--genome", "mm10", "--rows=:3")
    assert by_option == show(quern_bin, path, "genome/mm10", "--rows=:3") == show(quern_bin, path, "mm10", "--rows=:3")
    assert by_option != show(quern_bin, path, "hg19", "--rows=:3")
    run(quern_bin, "show", path, expect=2)


def test_one_column_and_the_names_alone(quern_bin, fixtures_dir):
    path = fixtures_dir / "modern.h5ad"
    for frame in ("obs", "var", "raw/var"):
        with h5py.File(path) as root:
            names = [name.decode() for name in root[frame]["_index"][()]]
            columns = [name for name in root[frame].attrs["column-order"] if isinstance(name, str)]
        assert show(quern_bin, path, f"{frame}/_index") == (["cell" if frame == "obs" else "gene"], [[name] for name in names])
        for column in columns:
            header, rows = show(quern_bin, path, f"{frame}/{column}")
            assert header[1:] == [column] and [row[0] for row in rows] == names


def test_genome_not_chosen(quern_bin, fixtures_dir):
    path = fixtures_dir / "tenx-v2-genomes.h5"
    for words in ([], ["--genome", "dm6"], ["--feature-type", "x", "--genome", "mm10"]):
        assert run(quern_bin, "show", path, *words, expect=2).stderr.startswith(f"quern show: {path}: ")


def test_features_of_10x(quern_bin, fixtures_dir):
    for file in ("tenx-v3-features.h5", "mtx-new"):
        genes = show(quern_bin, fixtures_dir / file, "--rows=:1")[0][1:]
        assert [row[0] for row in show(quern_bin, fixtures_dir / file, "var")[1]] == genes
        assert len(show(quern_bin, fixtures_dir / file, "var", "--feature-type", "all")[1]) == 64


def test_json(quern_bin, rich):
    report = json.loads(run(quern_bin, "show", rich, "--rows=:2", "--cols=:3", "--json", "-").stdout)
    assert report["schema"] == "quern.show/1" and report["input"]["matrix"] == "X"
    result = report["result"]
    assert (result["kind"], result["shape"]) == ("matrix", [12, 7])
    assert (result["rows"], result["columns"]) == (["c0", "c1"], ["g0", "g1", "g2"])
    assert np.array_equal(np.array(result["values"], dtype=np.float32), anndata.read_h5ad(rich).X[:2, :3].toarray())
    entries = json.loads(run(quern_bin, "show", rich, "--rows=:2", "--sparse", "--json", "-").stdout)["result"]["entries"]
    assert all(len(entry) == 3 and entry[0] in ("c0", "c1") for entry in entries) and entries
    frame = json.loads(run(quern_bin, "show", rich, "uns/frame", "--json", "-").stdout)["result"]
    assert frame["values"] == [[0.5], [None]]
    assert json.loads(run(quern_bin, "show", rich, "uns/flag", "--json", "-").stdout)["result"]["value"] is True
    members = json.loads(run(quern_bin, "show", rich, "uns", "--json", "-").stdout)["result"]["members"]
    assert {"name": "count", "kind": "int64", "shape": "", "value": 3} in members


def test_output_file(quern_bin, rich, tmp_path):
    whole = run(quern_bin, "show", rich).stdout
    for name in ("x.tsv", "x.tsv.gz"):
        assert run(quern_bin, "show", rich, "-o", tmp_path / name).stdout == ""
        frame = pd.read_csv(tmp_path / name, sep="\t", index_col=0)
        assert frame.shape == (12, 7)
    assert (tmp_path / "x.tsv").read_text() == whole
    run(quern_bin, "show", rich, "-o", tmp_path / "x.tsv", expect=4)
    run(quern_bin, "show", rich, "-o", tmp_path / "x.xlsx", expect=2)


MISTAKES = [
    (["--rows", "1:10:2"], 2, "bad-slice", "step"),
    (["--rows", "five"], 2, "bad-slice", "A:B"),
    (["--cols", "1:x"], 2, "bad-slice", "A:B"),
    (["--rows", ":2", "--row-names", "c1"], 2, "two-choices", "by number or by name"),
    (["--col-names", "G1"], 2, "no-such-name", "did you mean g1?"),
    (["uns", "--rows", ":1"], 2, "no-rows", "no rows"),
    (["obs", "--sparse"], 2, "not-a-matrix", "no matrix"),
    (["raw", "--layer", "X"], 3, "no-such-matrix", "not in the file"),
    (["obsm/X_pc"], 3, "missing-object", "did you mean obsm/X_pca?"),
    (["uns/nothing"], 3, "missing-object", "/uns has"),
    (["--json", "-", "-m", "1KiB", "--rows", ":"], 5, "over-budget", "--memory"),
]


@pytest.mark.parametrize("words,code,word,text", MISTAKES, ids=[" ".join(row[0]) for row in MISTAKES])
def test_mistakes(quern_bin, rich, words, code, word, text):
    done = run(quern_bin, "show", rich, *words, expect=code)
    assert f"[{word}]" in done.stderr and text in done.stderr


def on_terminal(binary, *words):
    """Lines of what it prints on a terminal, split into fields."""
    leader, follower = pty.openpty()
    with subprocess.Popen([binary, *map(str, words)], stdout=follower, stderr=subprocess.PIPE) as program:
        os.close(follower)
        text = b""
        while True:
            try:
                piece = os.read(leader, 65536)
            except OSError:  # the last writer has closed it
                break
            text += piece
        os.close(leader)
        assert program.stderr.read() == b"" and program.wait(60) == 0
    return [line.split() for line in text.decode().splitlines()]


def test_terminal_gets_head_and_tail(quern_bin, fixtures_dir):
    path = fixtures_dir / "modern.h5ad"
    _, rows = show(quern_bin, path)
    lines = on_terminal(quern_bin, "show", path)
    assert len(lines) == 1 + 10 + 1 + 10 and lines[11] == ["..."] * 12
    kept = rows[:10] + rows[-10:]
    assert [line[:6] + line[7:] for line in lines[1:11] + lines[12:]] == [row[:6] + row[-5:] for row in kept]
    assert len(on_terminal(quern_bin, "show", path, "--rows", ":", "--cols", ":")) == 38


def test_reader_that_goes_away(quern_bin, fixtures_dir):
    done = subprocess.run(f"'{quern_bin}' show '{fixtures_dir / 'many-genes.h5ad'}' | head -c 100", shell=True, capture_output=True, timeout=60, check=False)
    assert len(done.stdout) == 100 and done.stderr == b""


def test_help(quern_bin):
    text = run(quern_bin, "show", "--help").stdout
    assert text.splitlines()[2].startswith("  quern show ") and "--row-names" in text and "[OBJECT]" in text
