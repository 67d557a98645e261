"""What a row of the table of bad inputs is, and how one run is judged by it."""
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

TIME_LIMIT_SECONDS = 20
VERBS = ("qc", "info", "show", "check")


@dataclass
class Case:
    """An outcome is `ok`, `ok CODE ...` (exit 0 with these warnings), `CODE` (exit 3) or `2 CODE` (another exit code)."""

    name: str
    make: object  # folder -> path of the input; or the input's name itself
    qc: str
    says: str = ""  # a phrase of the error's text
    names: str = ""  # the error's object
    info: str = "ok"
    check: str = ""  # empty: as qc
    show: str = ""  # of X; empty: as qc
    arguments: tuple = ()
    user: int = -1  # who runs it; -1: whoever runs the tests

    def arguments_of(self, verb):
        """`info` and `check` take no --layer."""
        return self.arguments if verb in ("qc", "show") or "--layer" not in self.arguments else ()

    def outcome(self, verb):
        return getattr(self, verb) or self.qc


@dataclass
class Run:
    status: int  # exit code, or minus the signal
    stdout: str
    stderr: str
    seconds: float
    peak_bytes: int  # of the process or its probe, whichever is larger; None when not measured
    left: dict  # name -> bytes of what is in the output folder afterwards; of a folder in it: none

    @property
    def report(self):
        return json.loads(self.left["report.json"])


def command_of(verb, path, out):
    words = {
        "qc": ["--cells-out", f"{out}/cells.tsv", "--genes-out", f"{out}/genes.tsv"],
        "info": [],
        "check": ["--deep"],
        "show": ["-o", f"{out}/shown.tsv"],
    }[verb]
    return [verb, str(path), *words, "--json", f"{out}/report.json"]


# A process begins with the peak memory of the one that started it, so where it is measured a small one stands between.
_STARTER = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
with open("measured", "w") as file:
    print(usage.ru_maxrss, file=file)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
"""


def run(binary, words, out, measured=False, **options):
    """Runs quern with `out` as the folder of its outputs; waits for it and, if its memory is measured, for its children."""
    out.mkdir(exist_ok=True)
    out.chmod(0o777)
    starter = [sys.executable, "-I", "-S", "-c", _STARTER] if measured else []
    start = time.monotonic()
    process = subprocess.Popen([*starter, binary, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               start_new_session=True, cwd=out.parent, **options)
    try:
        stdout, stderr = process.communicate(timeout=TIME_LIMIT_SECONDS)
    except subprocess.TimeoutExpired as late:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise AssertionError(f"{words} ran for more than {TIME_LIMIT_SECONDS} s") from late
    seconds = time.monotonic() - start
    peak = int((out.parent / "measured").read_text(encoding="ascii")) * 1024 if measured else None
    left = {str(path.relative_to(out)): b"" if path.is_dir() else path.read_bytes() for path in out.rglob("*")}
    return Run(process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace"), seconds, peak, left)


def judge(done, verb, path, outcome, says="", names=""):
    """Asserts that a run ended as it should, said so properly and left nothing it should not."""
    said = f"exit {done.status}\n{done.stderr}{done.stdout[-500:]}"
    assert done.status >= 0, f"died by signal {-done.status}\n{said}"
    words = outcome.split()
    if words[0] == "ok":
        return _judge_success(done, verb, words[1:], said)
    exit_code, code = (int(words[0]), words[1]) if words[0].isdigit() else (3, words[0])
    assert done.status == exit_code and f"[{code}]" in done.stderr, f"expected exit {exit_code} [{code}], got {said}"
    judge_error(done, verb, path, code, says, names)
    if verb == "check" and exit_code == 3:
        assert any(f": error: {code}: " in line for line in done.stdout.splitlines()), said
    else:
        assert done.stdout == "", said
    assert list(done.left) == ["report.json"], f"left behind: {sorted(done.left)}"
    error = done.report["error"]
    assert error["code"] == code and says in error["text"], error
    assert error["object"] == names or not names, error
    return None


def judge_error(done, verb, path, code, says, names):
    lines = done.stderr.splitlines()
    errors = [line for line in lines if not line.startswith(f"quern {verb}: warning: ")]
    assert 1 <= len(errors) <= 3, done.stderr
    start = f"quern {verb}: {path}: " if str(path) and code not in WITHOUT_FILE else f"quern {verb}: "
    assert errors[0].startswith(start + (f"{names}: " if names else "")), f"expected {start}{names}: ...\n{done.stderr}"
    assert errors[0].endswith(f" [{code}]") and says in errors[0], f"expected '{says}' and [{code}]\n{done.stderr}"


WITHOUT_FILE = {"stdin-input", "missing-word"}


def _judge_success(done, verb, codes, said):
    assert done.status == 0, said
    if verb == "check":
        found = [finding["code"] for finding in done.report["result"]["inputs"][0]["findings"]]
    else:
        found = [warning["code"] for warning in done.report["warnings"]]
        for code in codes:
            assert f"[{code}]" in done.stderr, said
    assert set(codes) <= set(found), f"expected {codes}, got {found}"
    outputs = {"qc": {"cells.tsv", "genes.tsv"}, "show": {"shown.tsv"}}.get(verb, set())
    assert set(done.left) == outputs | {"report.json"}, sorted(done.left)
