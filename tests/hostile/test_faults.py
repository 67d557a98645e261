"""Every call of HDF5, zlib and the system fails in turn: the run says so, or gives the same answer; never a crash, never another answer."""
import errno
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hostile import faults
from hostile.bases import base
from hostile.cases_damage import SHORT_CHUNKS
from hostile.fault_scenarios import ABSENT, SCENARIOS, words_of
from hostile.fault_words import LATER, MAY_PASS, SAYS
from hostile.table import run
from hostile.test_outside import WAYS


def answer_of(done):
    """What must not change: of standard output a table, not the summary, which tells times."""
    report = json.loads(done.left.pop("report.json"))
    return report["result"], report["digest"], done.left, done.stdout if done.stdout.startswith("cell\t") else ""


@pytest.fixture(scope="session")
def quern_bin(quern_bin):
    """The one whose HDF5 is a shared library, which another library can stand before."""
    shared = Path(quern_bin).parent / "shared" / "quern"
    return str(shared) if shared.is_file() else quern_bin


@pytest.fixture(scope="session")
def library(quern_bin, tmp_path_factory):
    return faults.Faults(faults.build(tmp_path_factory.mktemp("faults")))


@pytest.fixture(scope="session")
def calls(quern_bin, library, tmp_path_factory):
    """({function: [(scenario, site)]}, {scenario: (folder, words, answer without a fault)}, {scenario: all its sites}); of the first each site
    once for qc and once for the other verbs."""
    sites, normal, met, all_sites = {}, {}, set(), {}
    for scenario, (verb, _, _) in SCENARIOS.items():
        folder = tmp_path_factory.mktemp("scenario")
        log = folder / "calls"
        words = words_of(scenario, folder)
        place_outputs(folder, words)
        done = run(quern_bin, words, folder / "out", env=library.log(log, ABSENT.get(scenario, "")))
        assert done.status == 0, done.stderr
        normal[scenario] = (folder, words, answer_of(done))
        all_sites[scenario] = list(dict.fromkeys(log.read_text(encoding="ascii").split()))
        for site in all_sites[scenario]:
            if (site, verb == "qc") not in met:
                met.add((site, verb == "qc"))
                sites.setdefault(site.split("@")[0], []).append((scenario, site))
    return sites, normal, all_sites


def place_outputs(folder, words):
    """An empty output folder; with --force old files where outputs go."""
    out = folder / "out"
    out.mkdir(exist_ok=True)
    for path in out.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if "--force" in words:
        for word in map(str, words):
            if word.startswith(f"{out}/"):
                Path(word).write_text("old", encoding="ascii")


def run_with(quern_bin, calls, scenario, environment):
    folder, words, answer = calls[1][scenario]
    place_outputs(folder, words)
    return run(quern_bin, words, folder / "out", env=environment), answer


def says(line, words):
    """What could not be done stands there to its end."""
    return re.search(re.escape(words) + ("(?! ?[a-z'])" if words.startswith("could not") else ""), line)


def complaint(done, answer, verb, function, said):
    """What is wrong with a run in which one call failed; None when nothing is. Adds to `said` what of SAYS was said."""
    if done.status == 0:
        same = answer_of(done) == answer
        if same or verb == "info":  # which shows what it can, and a question mark for where an odd link leads
            if function in ("H5Lget_val", "H5Lunpack_elink_val") and "-> ?" not in done.stdout:
                return "exit 0, and the link leads somewhere"
            return None if function in MAY_PASS else "exit 0, and nothing said"
        return "exit 0 with another answer"
    lines = [text for text in done.stderr.splitlines() if not text.startswith(f"quern {verb}: warning")]
    n_errors = sum(text.startswith("quern ") for text in lines)  # the report may fail as well
    if done.status not in (3, 4, 5) or not re.search(r" \[[a-z0-9-]+\]$", lines[0]) or len(lines) > 3 * n_errors or n_errors > 2:
        return f"exit {done.status}: {done.stderr}"
    known = [words for words in SAYS.get(function, ()) if says(lines[0], words)]
    if "crashes" in lines[0] or (function in SAYS and not known):
        return f"unclear: {lines[0]}"
    said.update(known)
    parts = [name for name in done.left if name.endswith(".part")]
    return f"left behind: {parts}" if parts else None


def of_fortran(binary, site):
    """Whether a call is that of LAPACK's Fortran library, which looks at the standard streams when the program starts."""
    address = "0x" + site.rsplit("@", 1)[1]
    found = subprocess.run(["addr2line", "-f", "-e", binary, address], capture_output=True, text=True, check=True)
    return found.stdout.splitlines()[0] == "fd_to_stream"


@pytest.mark.parametrize("function", faults.FUNCTIONS)
def test_call_fails(quern_bin, library, calls, function):
    complaints, said = [], set()
    assert function in calls[0], "no scenario calls it"
    for scenario, site in calls[0][function]:
        done, answer = run_with(quern_bin, calls, scenario, library.fail(site, absent=ABSENT.get(scenario, "")))
        wrong = complaint(done, answer, SCENARIOS[scenario][0], function, said)
        if wrong and not (wrong == "exit 0, and nothing said" and of_fortran(quern_bin, site)):
            complaints.append(f"{scenario}: {site}: {wrong}")
    assert complaints == []
    assert said == set(SAYS.get(function, ())) - LATER, "of these some call should have said"


def test_opening_fails_later(quern_bin, library, calls):
    """One call in the source opens all objects: each time it is the turn of another purpose."""
    complaints, said = [], set()
    for scenario in ("gzip", "tree"):
        sites = [site for at, site in calls[0]["H5Oopen"] if at == scenario]
        for site in sites:
            for after in range(24):
                done, answer = run_with(quern_bin, calls, scenario, library.fail(f"{site}+{after}"))
                wrong = complaint(done, answer, SCENARIOS[scenario][0], "H5Oopen", said)
                if wrong and "nothing said" not in wrong:  # there are fewer
                    complaints.append(f"{scenario}: {site}+{after}: {wrong}")
    assert complaints == []
    assert said >= {"could not open the object", "could not open the group"}


def sites_of(calls, function, scenario):
    return [site for site in calls[2][scenario] if site.startswith(f"{function}@")]


def test_file_system_without_nameless_files(quern_bin, library, calls):
    """A named temporary file does; if it cannot be made either, that is what is said."""
    mkostemp = [site for _, site in calls[0]["mkostemp"]]
    passed = said = 0
    for site in sites_of(calls, "open", "csc"):
        done, answer = run_with(quern_bin, calls, "csc", library.fail(f"{site}:{errno.EOPNOTSUPP}"))
        if done.status == 0 and answer_of(done) == answer:
            passed += 1
            log = calls[1]["csc"][0] / "more"
            environment = {**library.fail(f"{site}:{errno.EOPNOTSUPP}"), "QUERN_CALLS_LOG": str(log)}
            run_with(quern_bin, calls, "csc", environment)
            named = [met for met in log.read_text(encoding="ascii").split() if met.startswith("mkostemp@")]
            for other in dict.fromkeys(named):
                done, _ = run_with(quern_bin, calls, "csc", library.fail(f"{site}:{errno.EOPNOTSUPP}", other))
                said += "create a temporary file there: Permission denied" in done.stderr
    assert passed >= 1 and said >= 1, mkostemp


def test_names_that_are_taken_meanwhile(quern_bin, library, calls):
    """Every name for the part is taken; the output appears while it is written."""
    ends = [run_with(quern_bin, calls, "gzip", library.fail(f"{site}:{errno.EEXIST}"))[0] for site in sites_of(calls, "open", "gzip")]
    assert any(done.status == 4 and "create the file: File exists" in done.stderr for done in ends)
    ends = [run_with(quern_bin, calls, "converted-to-mtx", library.fail(f"{site}:{errno.EEXIST}"))[0] for site in sites_of(calls, "mkdir", "converted-to-mtx")]
    assert ends and all(done.status == 4 and "create the folder: File exists" in done.stderr for done in ends)
    for scenario, function in (("gzip", "renameat2"), ("no-renameat2", "link"), ("converted-to-mtx", "renameat2")):
        ends = []
        for site in sites_of(calls, function, scenario):
            done, _ = run_with(quern_bin, calls, scenario, library.fail(f"{site}:{errno.EEXIST}", absent=ABSENT.get(scenario, "")))
            assert done.status == 4, done.stderr
            ends.append("[exists]" in done.stderr)
        assert any(ends), (scenario, function)


@pytest.mark.parametrize("scenario", ["gzip", "converted-to-mtx"])
def test_target_that_cannot_be_looked_at(quern_bin, library, calls, scenario):
    ends = [run_with(quern_bin, calls, scenario, library.fail(site))[0] for site in sites_of(calls, "stat", scenario)]
    assert any(done.status == 4 and "could not look at the target" in done.stderr for done in ends)


@pytest.mark.parametrize("function", ["H5Dget_create_plist", "H5Pget_layout", "H5Pget_nfilters", "H5Pget_filter2"])
def test_layouts_that_cannot_be_told(quern_bin, library, calls, function):
    """What is copied undecoded is copied so or refused, never left out."""
    for scenario in ("written-everything", "filtered"):
        for site in sites_of(calls, function, scenario):
            done, answer = run_with(quern_bin, calls, scenario, library.fail(site))
            assert done.status in (3, 4) or (done.status == 0 and answer_of(done) == answer), (site, done.stderr)


def test_processors_that_no_set_can_name(quern_bin, library, tmp_path):
    """As on a machine with more than 1,024."""
    log = tmp_path / "calls"
    words = ["doctor", "--json", tmp_path / "out" / "report.json"]
    run(quern_bin, words, tmp_path / "out", env=library.log(log))
    site = next(site for site in log.read_text(encoding="ascii").split() if site.startswith("sched_getaffinity@"))
    done = run(quern_bin, [*words, "--force"], tmp_path / "out", env=library.fail(f"{site}:{errno.EINVAL}"))
    text = json.dumps(done.report)
    assert re.search(rf'"affinity": {os.sysconf("SC_NPROCESSORS_ONLN")}\b', text), text


@pytest.mark.parametrize("refer, write, says, names", WAYS)
def test_refusal_of_what_lies_outside_survives_faults(quern_bin, library, calls, tmp_path, refer, write, says, names):
    outside = tmp_path / "elsewhere" / "outside"
    outside.parent.mkdir()
    write(outside)
    path = base("modern", tmp_path)
    refer(path, outside)
    for function in ("H5Pset_elink_cb", "H5Dget_create_plist", "H5Pget_layout", "H5Pget_external_count"):
        for site in sites_of(calls, function, "gzip"):
            done = run(quern_bin, ["qc", path], tmp_path / "out", env=library.fail(site))
            assert done.status == 3, f"{site}: {says} of {names} was followed"


def test_refusal_of_short_chunks_survives_faults(quern_bin, library, calls, tmp_path):
    path = SHORT_CHUNKS(tmp_path)
    for function in ("H5Dget_create_plist", "H5Pget_layout", "H5Pget_chunk", "H5Pget_nfilters", "H5Pget_filter2", "H5Dget_chunk_storage_size"):
        for site in sites_of(calls, function, "obs"):
            done = run(quern_bin, ["show", path, "obs"], tmp_path / "out", env=library.fail(site))
            assert done.status == 3, f"{site}: what lies behind a chunk was shown"


@pytest.mark.parametrize("function", ["read", "write", "pread", "pwrite"])
def test_interrupted_calls_are_repeated(quern_bin, library, calls, function):
    for scenario, site in calls[0][function]:
        done, answer = run_with(quern_bin, calls, scenario, library.interrupt(site))
        assert done.status == 0 and answer_of(done) == answer, (scenario, site, done.stderr)


def test_every_call_of_hdf5_is_listed(quern_bin):
    assert set(faults.hdf5_calls(quern_bin)) - faults.HDF5_LEFT_OUT == {name for name in faults.FUNCTIONS if name.startswith("H5")}
