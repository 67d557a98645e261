"""One run on a machine: what lies where, how long it may take, what was found."""
import datetime
import glob
import json
import os
import pathlib
import re
import shutil
import signal
import site
import subprocess
import sys
import time


class NoDevice(Exception):
    """There is no device that can be used; the text says why."""


class NotRun(Exception):
    """A step cannot be done here; the text says why. It neither passes nor fails."""


class Failed(Exception):
    """A check found something wrong."""


def cuda_folders(name):
    """Folders `name` (bin, lib64) of a CUDA toolkit, if there is one."""
    return [str(pathlib.Path(root) / name) for root in (os.environ.get("CUDA_HOME", ""), "/usr/local/cuda") if root]


def tool(name):
    """Path of a program of the toolkit, or None."""
    beside = (os.path.join(folder, name) for folder in cuda_folders("bin"))
    return shutil.which(name) or next((path for path in beside if os.access(path, os.X_OK)), None)


def python_libraries():
    """NVIDIA's libraries where Python's packages brought them."""
    roots = {*site.getsitepackages(), *(path for path in sys.path if path.endswith("-packages"))}
    return [path for root in sorted(roots) for path in glob.glob(f"{root}/nvidia/*/lib")]


class Session:
    def __init__(self, pack, work, target, options):
        self.pack, self.work, self.target, self.quick = pack, work, target, options.quick
        self.started, self.seconds, self.only = time.monotonic(), options.seconds, re.compile(options.only)
        facts = json.loads((pack / "pack.json").read_text(encoding="utf-8"))
        self.results = {"schema": "quern.gpu/1", "state": "running", "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                        "commit": facts["commit"], "quick": options.quick, "only": options.only, "device": None, "driver": None, "cuda": None, "checks": [], "lanes": [], "rates": [],
                        "bars": []}
        folders = [str(pack / "lib"), *cuda_folders("lib64"), *python_libraries(), os.environ.get("LD_LIBRARY_PATH", "")]
        self.environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(folder for folder in folders if folder)}

    def left(self):
        return self.seconds - (time.monotonic() - self.started)

    def program(self, name):
        path = self.pack / name
        if not path.exists():
            raise NotRun(f"{name} is not in the pack")
        return str(path)

    def run(self, *command, limit=120, accept=(0,), env=None, late=Failed):
        """The finished process; Failed where it ends otherwise than accepted, `late` where it takes longer than `limit` seconds."""
        limit = max(1, min(limit, self.left()))
        words = [str(word) for word in command]
        shown = " ".join([pathlib.Path(words[0]).name, *words[1:]])
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
                                   env={**self.environment, **(env or {})})
        try:
            stdout, stderr = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with what it started: a profiler's program must not go on beside the next step
            process.communicate()
            raise late(f"{shown}: not done after {limit:.0f} s") from None
        done = subprocess.CompletedProcess(words, process.returncode, stdout, stderr)
        if done.returncode not in accept:
            raise Failed(f"{shown}: exit {done.returncode}\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
        return done

    def quern(self, *words, **options):
        return self.run(self.program("quern"), *words, **options)

    def report(self, *words, **options):
        """The JSON object of a verb."""
        return json.loads(self.quern(*words, "--json", "-", "-q", **options).stdout)

    def step(self, kind, name, function, always=False):
        """Runs function(self), which returns figures or nothing, and writes down how it went. `always`: even where --only leaves it out."""
        if not always and not self.only.search(name):
            return
        begin, entry = time.monotonic(), {"name": name}
        try:
            if self.left() <= 0:
                raise Failed("there was no time left for it")
            entry.update(function(self) or {})
            entry["passed"] = True
        except NotRun as reason:
            entry.update(passed=None, reason=str(reason))
        except NoDevice:
            raise
        except Failed as reason:
            entry.update(passed=False, reason=str(reason))
        except Exception as reason:  # a step that breaks must not take the others with it
            entry.update(passed=False, reason=f"{type(reason).__name__}: {reason}")
        entry["seconds"] = round(time.monotonic() - begin, 2)
        self.results[kind].append(entry)
        self.say(entry)
        self.write()

    def say(self, entry):
        word = {True: "passed", False: "FAILED", None: "not run"}[entry["passed"]]
        print(f"{word:8} {entry['name']} ({entry['seconds']} s)" + (f": {entry['reason']}" if "reason" in entry else ""), flush=True)

    def write(self):
        self.results["seconds"] = round(time.monotonic() - self.started, 1)
        self.results["passed"] = self.passed()
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.target.write_text(json.dumps(self.results, indent=1) + "\n", encoding="utf-8")

    def passed(self):
        done = [entry["passed"] for kind in ("checks", "rates") for entry in self.results[kind]]
        return self.results["state"] in ("running", "done") and True in done and False not in done

    def end(self, state):
        self.results["state"] = state
        self.write()
        print(f"{state}; all checks {'passed' if self.passed() else 'did not pass'}; results: {self.target}", flush=True)
