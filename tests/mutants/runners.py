"""Runs tests of the mutated build, unit tests and Python ones: learn() which sites each reaches, kill() sites with the tests given for them."""
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
FOLDERS = ("hostile", "cli", "conformance", "interop")
ADDRESS_SPACE = 6 << 30  # a guard that is off may let anything be asked for
FILE_SIZE = 2 << 30
SECONDS = 20  # of one unit test; the Python tests have limits of their own


def _limit():
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):  # which a run in the background may have been told to ignore
        signal.signal(number, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class UnitTests:
    """One process a test when learning, one for all tests of a site when killing."""

    def __init__(self, binary, folder, jobs):
        self.binary, self.folder, self.jobs = binary, folder, jobs

    def _names(self):
        listing = subprocess.run([self.binary, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout
        names, suite = [], ""
        for line in listing.splitlines():
            word = line.split("#")[0].rstrip()
            if line.startswith(" "):
                names.append(suite + word.strip())
            elif word.endswith("."):
                suite = word
        return names

    def _run(self, tests, **environment):
        """None when they pass, else the test that failed."""
        command = [self.binary, "--gtest_fail_fast", "--gtest_color=no", "--gtest_filter=" + ":".join(tests)]
        try:
            done = subprocess.run(command, env={**os.environ, **environment}, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                  text=True, errors="replace", timeout=SECONDS, check=False, preexec_fn=_limit)
        except subprocess.TimeoutExpired:
            return tests[0]
        begun = [line.split("]")[1].strip() for line in done.stdout.splitlines() if line.startswith("[ RUN")]
        failed = [line.split("]")[1].split()[0] for line in done.stdout.splitlines() if line.startswith("[  FAILED")]
        return None if done.returncode == 0 else [*failed, *begun[-1:], tests[0]][0]

    def _learn_one(self, test):
        with tempfile.TemporaryDirectory() as folder:
            seen = Path(folder, "seen")
            seen.touch()
            start = time.monotonic()
            passed = any(self._run([test], QUERN_MUTANTS_SEEN=str(seen)) is None for _ in range(2))  # a busy machine: once more
            return {"test": test, "passed": passed, "seconds": time.monotonic() - start, "sites": sorted({int(line) for line in seen.read_text().split()})}

    def learn(self):
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(self._learn_one, self._names()))

    def _kill_one(self, job):
        site, tests = job
        failed = self._run(tests, QUERN_MUTANT_OFF=str(site))
        return site, failed if failed and self._run([failed]) is None else None

    def kill(self, work):
        """Pairs (site, killer or None), as they come."""
        with ThreadPoolExecutor(self.jobs) as pool:
            yield from pool.map(self._kill_one, work)


class PythonTests:
    """Sessions of pytest with plugin.py, as many at once as jobs."""

    def __init__(self, python, quern, fixtures, folder, jobs):
        self.python, self.quern, self.fixtures, self.folder, self.jobs = python, quern, fixtures, folder, jobs
        # What needs ../shared is no test that everybody has.
        self.files = [str(path) for name in FOLDERS for path in sorted((TESTS / name).glob("test_*.py")) if "shared" not in path.name]

    def _session(self, name, job, tests):
        path = self.folder / f"job-{name}.json"
        answer = Path(f"{path}.answer")
        answer.unlink(missing_ok=True)
        path.write_text(json.dumps(job), encoding="utf-8")
        environment = {**os.environ, "QUERN_BIN": str(self.quern), "QUERN_BUILD_DIR": str(self.folder / "build"), "QUERN_FIXTURES": str(self.fixtures),
                       "QUERN_MUTANTS_JOB": str(path), "PYTHONPATH": str(Path(__file__).resolve().parent), "PYTHONDONTWRITEBYTECODE": "1"}
        work = self.folder / "work"  # for what a guard that is off lets into the working folder
        work.mkdir(exist_ok=True)
        with open(self.folder / f"job-{name}.log", "w", encoding="utf-8") as log:
            status = subprocess.run([self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "plugin", "-c", TESTS / "pytest.ini", "--rootdir",
                                     TESTS, *tests], env=environment, cwd=work, stdout=log, stderr=log, check=False, preexec_fn=_limit).returncode
        if status not in (0, 1) or not answer.exists():
            raise RuntimeError(f"pytest ended with {status}: {log.name}")
        return [json.loads(line) for line in answer.read_text(encoding="utf-8").splitlines()]

    def learn(self):
        with ThreadPoolExecutor(self.jobs) as pool:
            answers = pool.map(lambda file: self._session(Path(file).stem, {"learn": True}, [file]), self.files)
            return [record for answer in answers for record in answer]

    def kill(self, work, batch=12):
        """Pairs (site, killer or None), a batch of sites at a time."""
        batches = [work[at:at + batch] for at in range(0, len(work), batch)]
        with ThreadPoolExecutor(self.jobs) as pool:
            for answer in pool.map(lambda job: self._session(f"kill-{job[0]}", {"kill": job[1]}, self._files_of(job[1])), enumerate(batches)):
                yield from ((record["site"], record["killer"]) for record in answer)

    def find(self, work):
        """Pairs (test, a site that makes it fail or None) of pairs (test, sites), a test at a time."""
        with ThreadPoolExecutor(self.jobs) as pool:
            for answer in pool.map(lambda job: self._session(f"find-{job[0]}", {"find": [job[1]]}, self._files_of([(None, [job[1][0]])])), enumerate(work)):
                yield from ((record["test"], record["site"]) for record in answer)

    def _files_of(self, work):
        names = {test.split("::")[0] for _, tests in work for test in tests}
        return [file for file in self.files if Path(file).relative_to(TESTS).as_posix() in names]
