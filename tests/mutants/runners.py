"""Runs tests of the mutated build, unit tests and Python ones: learn() which sites each reaches, kill() sites with the tests given for them."""
import json
import os
import resource
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
PYTHON_TESTS = ("hostile/test_bad_input.py", "hostile/test_memory.py", "hostile/test_outside.py", "hostile/test_stops.py", "hostile/test_faults.py", "cli", "conformance/test_qc_options.py",
                "conformance/test_qc_fixtures.py")
ADDRESS_SPACE = 8 << 30  # a guard that is off may let anything be asked for
SECONDS = 60  # of one unit test; the Python tests have limits of their own


def _limit():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
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
        """True when they pass."""
        try:
            done = subprocess.run([self.binary, "--gtest_brief=1", "--gtest_filter=" + ":".join(tests)], env={**os.environ, **environment},
                                  cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS, preexec_fn=_limit)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def _learn_one(self, test):
        with tempfile.TemporaryDirectory() as folder:
            seen = Path(folder, "seen")
            seen.touch()
            passed = self._run([test], QUERN_MUTANTS_SEEN=str(seen))
            return {"test": test, "passed": passed, "seconds": 0, "sites": sorted({int(line) for line in seen.read_text().split()})}

    def learn(self):
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(self._learn_one, self._names()))

    def kill(self, work):
        with ThreadPoolExecutor(self.jobs) as pool:
            passed = pool.map(lambda job: self._run(job[1], QUERN_MUTANT_OFF=str(job[0])), work)
            return {site: None if survived else f"unit: {tests[0]}" for (site, tests), survived in zip(work, passed)}


class PythonTests:
    """Sessions of pytest with plugin.py, as many as jobs."""

    def __init__(self, python, quern, fixtures, folder, jobs):
        self.python, self.quern, self.fixtures, self.folder, self.jobs = python, quern, fixtures, folder, jobs

    def _session(self, number, job, tests):
        path = self.folder / f"job-{number}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        environment = {**os.environ, "QUERN_BIN": str(self.quern), "QUERN_BUILD_DIR": str(self.folder / "build"), "QUERN_FIXTURES": str(self.fixtures),
                       "QUERN_MUTANTS_JOB": str(path), "PYTHONPATH": str(Path(__file__).resolve().parent), "PYTHONDONTWRITEBYTECODE": "1"}
        with open(self.folder / f"job-{number}.log", "w", encoding="utf-8") as log:
            subprocess.run([self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "plugin", "-c", TESTS / "pytest.ini", "--rootdir", TESTS,
                            *tests], env=environment, cwd=TESTS, stdout=log, stderr=log, check=False, preexec_fn=_limit)
        return [json.loads(line) for line in Path(f"{path}.answer").read_text(encoding="utf-8").splitlines()]

    def _sessions(self, jobs, tests):
        with ThreadPoolExecutor(self.jobs) as pool:
            answers = pool.map(lambda numbered: self._session(numbered[0], numbered[1], tests[numbered[0]]), enumerate(jobs))
            return [record for answer in answers for record in answer]

    def learn(self):
        paths = [str(TESTS / name) for name in PYTHON_TESTS]
        return self._sessions([{"learn": True}, {"learn": True}], [paths[:1], paths[1:]])

    def kill(self, work):
        shares = [work[share::self.jobs] for share in range(self.jobs)]
        records = self._sessions([{"kill": share} for share in shares], [[str(TESTS / name) for name in PYTHON_TESTS]] * self.jobs)
        return {record["site"]: record["killer"] for record in records}
