"""What `quern qc` promises beside its numbers: outputs, refusals, plans, signals."""
import gzip
import json
import os
import shutil
import signal
import subprocess
import time

import anndata
import h5py
import pytest

from support.program import read_table, run


@pytest.fixture(name="modern")
def _modern(fixtures_dir):
    return fixtures_dir / "modern.h5ad"


@pytest.fixture(name="own")
def _own(modern, tmp_path):
    """A copy that a test may endanger."""
    return shutil.copy(modern, tmp_path / "own.h5ad")


@pytest.fixture(name="chunked", scope="module")
def _chunked(larger, tmp_path_factory):
    """The same by columns, in stored chunks that can only be decoded as a whole."""
    path = tmp_path_factory.mktemp("chunked") / "chunked.h5ad"
    data = anndata.read_h5ad(larger)
    data.X = data.X.tocsc()
    data.write_h5ad(path)
    with h5py.File(path, "r+") as root:
        for part in ("data", "indices"):
            values = root[f"X/{part}"][:]
            del root[f"X/{part}"]
            root["X"].create_dataset(part, data=values, chunks=(len(values) // 2,), compression="gzip", shuffle=True)
    return path


@pytest.fixture(name="larger", scope="module")
def _larger(quern_bin, tmp_path_factory):
    path = tmp_path_factory.mktemp("larger") / "larger.h5ad"
    run(quern_bin, "generate", path, "--preset", "pbmc3k")
    return path


def test_summary_for_people(quern_bin, modern):
    done = run(quern_bin, "qc", modern)
    assert "37 cells x 64 genes" in done.stdout and "median" in done.stdout and str(modern) in done.stdout


def test_json_alone_on_standard_output(quern_bin, modern):
    report = json.loads(run(quern_bin, "qc", modern, "--json", "-").stdout)
    assert report["schema"] == "quern.qc/1"
    assert report["quern"]["backend"] == "cpu" and report["quern"]["device"]
    assert report["input"] == {"path": str(modern), "format": "h5ad", "generation": "anndata>=0.8", "matrix": "X", "n_obs": 37, "n_vars": 64,
                               "nnz": 453}
    assert set(report["result"]) == {"n_obs", "n_vars", "nnz", "n_nonzero", "total_counts", "integer", "median_genes_per_cell",
                                     "median_counts_per_cell", "qc_vars"}
    assert set(report["result"]["qc_vars"]["mt"]) == {"n_genes", "median_pct"}
    assert report["run"]["passes"] == 1 and report["run"]["chunks"] >= 1 and report["run"]["bytes_read"] > 0
    assert list(report["run"]["seconds"]) == ["total", "open", "compute", "device", "write"]
    assert len(report["digest"]) == 32


def test_tables_on_standard_output_and_compressed(quern_bin, modern, tmp_path):
    on_pipe = run(quern_bin, "qc", modern, "--cells-out", "-", "-q").stdout
    run(quern_bin, "qc", modern, "--cells-out", tmp_path / "cells.tsv.gz", "--genes-out", tmp_path / "genes.tsv")
    assert gzip.open(tmp_path / "cells.tsv.gz", "rt").read() == on_pipe
    word, names, columns = read_table(tmp_path / "cells.tsv.gz")
    assert word == "cell" and len(names) == 37 and list(columns)[0] == "n_genes_by_counts"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.tsv.gz", "genes.tsv"]


def test_one_standard_output_at_most(quern_bin, modern):
    done = run(quern_bin, "qc", modern, "--cells-out", "-", "--json", "-", expect=2)
    assert "[two-on-stdout]" in done.stderr and "cell\t" not in done.stdout


def test_same_file_for_two_outputs(quern_bin, modern, tmp_path):
    run(quern_bin, "qc", modern, "--cells-out", tmp_path / "t.tsv", "--genes-out", tmp_path / "." / "t.tsv", expect=2)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--cells-out", "--genes-out", "--json"])
def test_existing_output_is_kept(quern_bin, modern, tmp_path, option):
    target = tmp_path / "old"
    target.write_text("precious")
    done = run(quern_bin, "qc", modern, option, target, expect=4)
    assert "[exists]" in done.stderr and target.read_text() == "precious"
    run(quern_bin, "qc", modern, option, target, "--force")
    assert target.read_text() != "precious"


def test_the_input_is_never_an_output(quern_bin, own, tmp_path):
    before = own.read_bytes()
    (tmp_path / "link").symlink_to(own)
    os.link(own, tmp_path / "hard")
    (tmp_path / "folder").mkdir()
    for name in ("own.h5ad", "./own.h5ad", "folder/../own.h5ad", "link", "hard"):
        for option in ("--cells-out", "--json", "--log-file"):
            done = run(quern_bin, "qc", own, option, f"{tmp_path}/{name}", "--force", expect=4)
            assert "[same-file]" in done.stderr, (name, option)
    assert own.read_bytes() == before


def test_a_list_of_genes_is_an_input(quern_bin, modern, tmp_path):
    genes = tmp_path / "genes.txt"
    genes.write_text("MT-ND1\n")
    done = run(quern_bin, "qc", modern, "--qc-vars", f"own=@{genes}", "--genes-out", genes, "--force", expect=4)
    assert "[same-file]" in done.stderr and genes.read_text() == "MT-ND1\n"


def test_standard_input_is_refused(quern_bin):
    for word in ("-", "/dev/stdin"):
        done = run(quern_bin, "qc", word, expect=2)
        assert "[stdin-input]" in done.stderr


@pytest.mark.parametrize("arguments, code", [
    (["--qc-vars", "mito"], "bad-qc-var"), (["--qc-vars", "x=("], "bad-regex"), (["--percent-top", "0"], "bad-number"),
    (["--memory", "lots"], "bad-size"), (["--threads", "0"], "bad-number"), (["--chunk-nnz", "0"], "bad-number"),
    (["--gpu-memory", "120%"], "bad-number")])
def test_usage_errors(quern_bin, modern, arguments, code):
    assert f"[{code}]" in run(quern_bin, "qc", modern, *arguments, expect=2).stderr


WITHOUT_MATCHES = [
    ("mt=^g$", [("no-matching-genes", "no gene name matches ^g$ of mt")]),
    ("mt=@absent", [("no-matching-genes", "none of the 2 names in")]),
    ("own=@some", [("names-not-found", "2 of the 3 names in")]),
]


@pytest.mark.parametrize("words, expected", WITHOUT_MATCHES, ids=[row[0] for row in WITHOUT_MATCHES])
def test_groups_that_match_too_little(quern_bin, modern, tmp_path, words, expected):
    (tmp_path / "absent").write_text("x1\nx2\n")
    (tmp_path / "some").write_text("MT-ND1\nx1\nx2\n")
    path = tmp_path / "twice.h5ad"
    path.write_bytes(modern.read_bytes())
    with h5py.File(path, "r+") as root:
        root["var/_index"][:3] = "MT-ND1"
    done = run(quern_bin, "qc", path, "--qc-vars", words.replace("@", f"@{tmp_path}/"), "--percent-top", "none", "--json", "-")
    told = [(warning["code"], warning["text"]) for warning in json.loads(done.stdout)["warnings"] if warning["code"] != "duplicate-names"]
    assert [code for code, _ in told] == [code for code, _ in expected]
    assert all(text.startswith(start) for (_, text), (_, start) in zip(told, expected)), told


def test_errors_keep_outputs_away(quern_bin, modern, tmp_path):
    target = tmp_path / "report.json"
    run(quern_bin, "qc", modern, "--layer", "layers/none", "--json", target, "--cells-out", tmp_path / "cells.tsv", expect=3)
    report = json.loads(target.read_text())
    assert report["error"]["code"] == "no-such-matrix" and "layers/none" in report["error"]["object"]
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_cuda_is_not_replaced(quern_bin, modern):
    """Where there is a device it computes; else the run ends and says which of the ways to be without one this is."""
    state = json.loads(run(quern_bin, "devices", "--json", "-").stdout)["result"]["cuda"]["state"]
    done = run(quern_bin, "qc", modern, "--backend", "cuda", "--json", "-", expect=0 if state == "ready" else 6)
    report = json.loads(done.stdout)
    assert report["quern"]["backend"] == "cuda" if state == "ready" else report["error"]["code"] == state


def test_too_little_memory_names_what_will_do(quern_bin, larger, tmp_path):
    cells = tmp_path / "cells.tsv"
    done = run(quern_bin, "qc", larger, "--memory", "300K", "--cells-out", cells, expect=5)
    assert "--memory" in done.stderr and "MiB" in done.stderr
    plan = json.loads(run(quern_bin, "qc", larger, "--dry-run", "--cells-out", cells, "--json", "-").stdout)["result"]["plan"]
    assert plan["least_bytes"] <= plan["budget_bytes"] and plan["chunks"] > 0 and plan["outputs"] == [str(cells), "-"]
    assert not cells.exists()
    run(quern_bin, "qc", larger, "--memory", plan["least_bytes"], "--cells-out", cells)
    cells.unlink()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", ["modern", "larger", "chunked"])
def test_the_least_memory_is_the_least(quern_bin, request, name, threads):
    """What --dry-run says will do does; a MiB less is refused, in the dry run's warning and in the run's hint with the same number."""
    path = request.getfixturevalue(name)
    def planned(*words):
        report = json.loads(run(quern_bin, "qc", path, "-n", "-t", threads, "--json", "-", *words).stdout)
        return report["result"]["plan"], [warning["text"] for warning in report["warnings"] if warning["code"] == "over-budget"]
    plan, warned = planned()
    least = plan["least_whole_bytes"]
    assert not warned and least <= plan["least_bytes"]
    run(quern_bin, "qc", path, "-t", threads, "--memory", least)
    if least == 1 << 20:
        return
    too_few = least - (1 << 20)
    smaller, warned = planned("--memory", too_few)
    assert smaller["least_whole_bytes"] == least and f"{least >> 20}MiB" in warned[0]
    assert f"give --memory {least >> 20}MiB or more" in run(quern_bin, "qc", path, "-t", threads, "--memory", too_few, expect=5).stderr


def test_dry_run_says_what_the_run_would_refuse(quern_bin, modern, tmp_path):
    (tmp_path / "old").write_text("")
    assert "[exists]" in run(quern_bin, "qc", modern, "-n", "--cells-out", tmp_path / "old", expect=4).stderr
    assert "memory" in run(quern_bin, "qc", modern, "-n").stdout


def test_slots_are_chosen_by_no_environment(quern_bin, modern):
    def slots(*words, **environment):
        done = run(quern_bin, "qc", modern, "-n", "--json", "-", "-t", "4", *words, env={**os.environ, **environment})
        return json.loads(done.stdout)["result"]["plan"]["slots"]

    assert slots(QUERN_TEST_SLOTS="2") == slots() > 2
    assert slots("--test-slots", "2") == 2
    assert "[bad-number]" in run(quern_bin, "qc", modern, "--test-slots", "1", expect=2).stderr
    assert "--test-slots" not in run(quern_bin, "qc", "--help").stdout + run(quern_bin, "qc", modern, "--test-slot", "2", expect=2).stderr


def test_dry_run_says_where_a_matrix_by_columns_is_turned(quern_bin, fixtures_dir):
    source = fixtures_dir / "csc-gzip.h5ad"
    nnz = json.loads(run(quern_bin, "info", source, "--json", "-").stdout)["result"]["matrices"][0]["nnz"]
    plans = {}
    for memory, words in (("64MiB", "matrix turned to rows  "), ("14MiB", "matrix turned to rows (temporary file)")):
        assert words in run(quern_bin, "qc", source, "-n", "--memory", memory).stdout
        plans[memory] = json.loads(run(quern_bin, "qc", source, "-n", "--memory", memory, "--json", "-").stdout)["result"]["plan"]
        assert plans[memory]["turned_bytes"] == 8 * nnz
        done = run(quern_bin, "qc", source, "--memory", memory, "-v")
        assert (f"memory: matrix turned to rows {8 * nnz} bytes" in done.stderr) == plans[memory]["turned_in_memory"]
    assert plans["64MiB"]["turned_in_memory"] and not plans["14MiB"]["turned_in_memory"]
    assert "matrix turned" not in run(quern_bin, "qc", fixtures_dir / "csr-gzip.h5ad", "-n").stdout


def test_warnings_carry_codes(quern_bin, fixtures_dir):
    cases = {case["name"]: case for case in json.loads((fixtures_dir / "manifest.json").read_text())["cases"]}
    expected = {"modern": "percent-top-too-large", "special-nan": "has-nan", "negative-fractions": "has-negative"}
    for name, code in expected.items():
        done = run(quern_bin, "qc", fixtures_dir / cases[name]["path"], *cases[name]["arguments"], "--json", "-")
        assert code in [warning["code"] for warning in json.loads(done.stdout)["warnings"]], name
        assert f"[{code}]" in done.stderr
        assert run(quern_bin, "qc", fixtures_dir / cases[name]["path"], *cases[name]["arguments"], "--quiet").stderr == ""


def test_full_disk_and_file_size_limit(quern_bin, larger, tmp_path):
    for option in ("--cells-out", "--genes-out", "--json"):
        assert "[disk-full]" in run(quern_bin, "qc", larger, option, "/dev/full", expect=4).stderr
    limited = f'ulimit -f 64; exec "{quern_bin}" qc "{larger}" --cells-out "{tmp_path}/cells.tsv"'
    done = subprocess.run(["bash", "-c", limited], capture_output=True, text=True, timeout=60)
    assert done.returncode == 4 and "[disk-full]" in done.stderr
    assert not list(tmp_path.iterdir())


def test_reader_that_leaves(quern_bin, larger):
    process = subprocess.Popen([quern_bin, "qc", larger, "--cells-out", "-", "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"cell\t")
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait(timeout=60) == 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_at_any_time(quern_bin, larger, tmp_path, number):
    endings = set()
    for delay in (0.005, 0.02, 0.04, 0.06, 0.08, 0.1):
        words = ["qc", larger, "--chunk-nnz", "1", "-t", "1", "--cells-out", tmp_path / "c.tsv", "--json", tmp_path / "r.json", "-f", "-q"]
        process = subprocess.Popen([quern_bin, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(delay)
        process.send_signal(number)
        sent = time.monotonic()
        endings.add(process.wait(timeout=60))
        assert time.monotonic() - sent < 2
        assert process.stderr.read() == b""
        assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    assert -number in endings and endings <= {-number, 0}


@pytest.mark.parametrize("again", [False, True])
def test_signals_end_what_hangs(quern_bin, modern, tmp_path, again):
    """Opening a pipe that nobody reads waits for ever: the time limit, or a second signal, ends it, and parts are removed."""
    os.mkfifo(tmp_path / "pipe")
    words = ["qc", modern, "--json", tmp_path / "report.json", "--cells-out", tmp_path / "pipe"]
    process = subprocess.Popen([quern_bin, *map(str, words)])
    while not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]:
        time.sleep(0.01)
    sent = time.monotonic()
    process.send_signal(signal.SIGTERM)
    if again:
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == -signal.SIGTERM
    assert time.monotonic() - sent < (0.4 if again else 1.5)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
