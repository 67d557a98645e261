"""The words of the command line: help, versions, mistakes and what they lead to. Verbs that need no input serve as examples."""
import json
import os
import subprocess
import time

import pytest


@pytest.fixture
def quern(quern_bin):
    def run(*words, **options):
        return subprocess.run([quern_bin, *map(str, words)], capture_output=True, text=True, timeout=60, **options)

    return run


def test_alone_prints_help(quern):
    done = quern()
    assert done.returncode == 0
    assert "Usage: quern VERB" in done.stdout and done.stderr == ""


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",)])
def test_help_opens_with_examples(quern, words):
    done = quern(*words)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[2].strip().startswith("quern info")
    assert "\nVerbs\n" in done.stdout


@pytest.mark.parametrize("words", [("doctor", "--help"), ("doctor", "-h"), ("help", "doctor"), ("--json", "x", "doctor", "--help")])
def test_help_of_a_verb(quern, words):
    done = quern(*words)
    assert done.returncode == 0
    assert done.stdout.startswith("quern doctor: ")
    assert done.stdout.splitlines()[2].startswith("  quern doctor")
    assert "--json" in done.stdout


def test_version_is_quick(quern):
    times = []
    for _ in range(5):
        start = time.monotonic()
        done = quern("--version")
        times.append(time.monotonic() - start)
        assert done.returncode == 0 and done.stdout.startswith("quern 0.")
    assert min(times) < 0.1


@pytest.mark.parametrize("typed, meant", [("doctr", "doctor"), ("devcies", "devices"), ("dev", "devices")])
def test_mistyped_verb(quern, typed, meant):
    done = quern(typed)
    assert done.returncode == 2
    assert f"did you mean {meant}?" in done.stderr
    assert "[unknown-verb]" in done.stderr


@pytest.mark.parametrize("typed, meant", [("--jsno", "--json"), ("--verbos", "--verbose"), ("--prog", "--progress")])
def test_mistyped_option(quern, typed, meant):
    done = quern("doctor", typed)
    assert done.returncode == 2
    assert f"did you mean {meant}?" in done.stderr
    assert done.stdout == ""


def test_usage_errors_are_short(quern):
    for words in (["doctor", "extra"], ["doctor", "--json"], ["doctor", "--color", "pink"], ["--quiet"], ["nothing-like-a-verb"]):
        done = quern(*words)
        assert done.returncode == 2, words
        assert 1 <= len(done.stderr.splitlines()) <= 3, done.stderr
        assert done.stderr.startswith("quern")


def test_options_before_the_verb(quern):
    before, after = quern("--json", "-", "devices"), quern("devices", "--json", "-")
    assert json.loads(before.stdout)["result"] == json.loads(after.stdout)["result"]


def test_json_envelope(quern):
    done = quern("doctor", "--json", "-")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert list(report) == ["schema", "quern", "input", "result", "warnings", "run", "digest"]
    assert report["schema"] == "quern.doctor/1"
    assert set(report["quern"]) == {"version", "git", "backend", "device"}
    assert set(report["input"]) == {"path", "format", "generation", "matrix", "n_obs", "n_vars", "nnz"}
    assert set(report["run"]) == {
        "threads", "chunks", "passes", "bytes_read", "seconds", "nnz_per_second", "peak_rss_bytes", "budget_bytes", "peak_device_bytes",
        "bytes_to_device"}
    assert report["run"]["seconds"]["total"] > 0 and report["run"]["peak_rss_bytes"] > 1 << 20
    assert report["result"]["hdf5"]["version"].startswith("1.")
    assert {"gzip", "lzf", "zstd", "blosc"} <= set(report["result"]["hdf5"]["filters"])


def test_usage_error_reaches_json(quern, tmp_path):
    target = tmp_path / "report.json"
    assert quern("doctor", "--json", target, "--nonsense").returncode == 2
    error = json.loads(target.read_text())["error"]
    assert error["code"] == "unknown-option" and error["object"] == "--nonsense" and error["text"]


def test_outputs_are_not_replaced(quern, tmp_path):
    target = tmp_path / "report.json"
    target.write_text("precious")
    done = quern("doctor", "--json", target)
    assert done.returncode == 4 and "[exists]" in done.stderr and str(target) in done.stderr
    assert target.read_text() == "precious"
    assert quern("doctor", "--json", target, "--force").returncode == 0
    assert json.loads(target.read_text())["schema"] == "quern.doctor/1"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_full_disk(quern, quern_bin):
    done = quern("doctor", "--json", "/dev/full")
    assert done.returncode == 4 and done.stderr.count("[disk-full]") == 1
    with open("/dev/full", "w") as full:
        done = subprocess.run([quern_bin, "doctor"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 4 and "[disk-full]" in done.stderr


def test_missing_folder(quern, tmp_path):
    done = quern("doctor", "--json", tmp_path / "none" / "report.json")
    assert done.returncode == 4 and "[no-such-folder]" in done.stderr


def test_closed_pipe_is_quiet(quern_bin):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([quern_bin, "doctor"], stdout=writing, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(writing)
    assert done.stderr == b"" and done.returncode == 4


def test_log_file_keeps_what_was_said(quern, tmp_path):
    log, target = tmp_path / "log", tmp_path / "report.json"
    target.write_text("")
    for _ in range(2):
        assert quern("doctor", "--json", target, "--log-file", log).returncode == 4
    lines = log.read_text().splitlines()
    assert len([line for line in lines if "[exists]" in line and line[:2] == "20"]) == 2


def test_bad_log_file(quern, tmp_path):
    target = tmp_path / "report.json"
    done = quern("doctor", "--log-file", tmp_path, "--json", target)
    assert done.returncode == 4 and "[is-directory]" in done.stderr
    assert json.loads(target.read_text())["error"]["code"] == "is-directory"


def test_colours_when_asked(quern):
    done = quern("doctor", "--color", "always", "--json", "/dev/full")
    assert "\033[1;31mquern doctor: " in done.stderr
    assert "\033[" not in quern("doctor", "x").stderr


def test_threads_of_the_environment(quern, quern_bin, fixtures_dir):
    many, three = ({**os.environ, "QUERN_THREADS": text} for text in ("many", "3"))
    done = subprocess.run([quern_bin, "qc", fixtures_dir / "modern.h5ad"], env=many, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "QUERN_THREADS" in done.stderr
    done = quern("doctor", env=many)
    assert done.returncode == 0 and "QUERN_THREADS" in done.stderr, "the doctor says what is wrong"
    processor = json.loads(quern("doctor", "--json", "-", env=three).stdout)["result"]["processor"]
    assert processor["threads"] == processor["quern_threads"] == 3
    assert quern("devices", env=many).returncode == 0, "which has no threads"


def test_limits_are_told_where_a_verb_has_them(quern_bin, fixtures_dir):
    def limits(*words):
        done = subprocess.run([quern_bin, *words, fixtures_dir / "modern.h5ad", "--json", "-"], capture_output=True, text=True, timeout=60, check=True)
        facts = json.loads(done.stdout)["run"]
        return facts["threads"], facts["budget_bytes"]
    assert limits("check", "--deep", "-m", "64MiB", "-t", "2") == (2, 64 << 20)
    assert limits("qc", "-n", "-m", "64MiB", "-t", "2") == (2, 64 << 20)
    assert limits("info") == (None, None)


@pytest.mark.parametrize("words", [("doctor", "--json", ""), ("doctor", "--json="), ("qc", "x", "--cells-out", "")])
def test_an_empty_word_is_no_value(quern, words):
    done = quern(*words)
    assert done.returncode == 2 and "[missing-value]" in done.stderr


def test_version_after_a_verb(quern):
    assert quern("doctor", "-V").stdout == quern("--version").stdout


def test_mistyped_option_and_no_verb(quern):
    done = quern("--hlep")
    assert done.returncode == 2 and "[unknown-option]" in done.stderr and "did you mean --help?" in done.stderr


def test_log_file_is_no_output(quern, tmp_path):
    done = quern("doctor", "--log-file", tmp_path / "a", "--json", tmp_path / "a", "--force")
    assert done.returncode == 2 and "[same-output]" in done.stderr


def closing(quern_bin, streams, *words):
    """Runs with these of the three standard streams closed."""
    def close():
        for stream in streams:
            os.close(stream)
    return subprocess.run([quern_bin, *map(str, words)], preexec_fn=close, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60, check=False)


@pytest.mark.parametrize("streams", [(2,), (0, 2), (1, 2), (0, 1, 2)])
def test_closed_streams_are_no_outputs(quern_bin, fixtures_dir, tmp_path, streams):
    """What is said goes nowhere, least of all into a file that happened to get the number of standard error."""
    report, cells, h5ad = tmp_path / "r.json", tmp_path / "c.tsv", tmp_path / "o.h5ad"
    done = closing(quern_bin, streams, "qc", fixtures_dir / "modern.h5ad", "-v", "--json", report, "--cells-out", cells, "-o", h5ad)
    assert done.returncode == 0
    assert json.loads(report.read_text())["schema"] == "quern.qc/1"
    assert cells.read_text().startswith("cell\t") and h5ad.read_bytes()[:4] == b"\x89HDF"


def test_data_for_a_closed_standard_output(quern_bin, fixtures_dir):
    done = closing(quern_bin, (1,), "qc", fixtures_dir / "modern.h5ad", "--cells-out", "-", "-q")
    assert done.returncode == 4 and done.stderr.count("[write-failed]") == 1
