"""Is it right on a device? The processor's bits are the truth: CI holds them against the oracle and against scanpy."""
import array
import concurrent.futures
import json
import os
import shutil
import struct

from session import Failed, NoDevice, NotRun, tool

SETTINGS = {"as it comes": [], "chunks of 1,000 values": ["--chunk-nnz", "1000"], "chunks of 100,000 values, 3 threads": ["--chunk-nnz", "100000", "-t", "3"],
            "64 MiB of the device": ["--gpu-memory", "64MiB"], "every chunk verified": ["--verify", "1"]}
DATA = {  # name: (how it is generated, matrices)
    "counts": (["--preset", "pbmc3k"], ["X"]),
    "log1p CPM and counts": (["--preset", "tabula-muris-droplet", "--cells", "4000"], ["X", "raw"]),
    "64-bit genes": (["--preset", "atlas-11m", "--cells", "2000"], ["X"]),
    "70,000 genes": (["--preset", "pbmc3k", "--cells", "500", "--genes", "70000"], ["X"]),
}
QUICK_DATA = {"counts": (["--preset", "pbmc3k", "--cells", "60", "--genes", "400"], ["X"])}
QUICK_TESTS = "WholeKernels.LargeValues:WholeKernels.ShortRows:RealKernels.NaNAndInfinities:MapValues.HasTheBitsOfItsMeaning"


def first(session):
    """Is there a device? Everything else is in vain where there is none."""
    session.step("checks", "the program starts", lambda s: {"told": s.quern("--version").stdout.strip()})
    session.step("checks", "devices", look_for_devices, always=True)
    if not session.results["device"]:
        raise NoDevice("the program cannot say: see the first checks")
    session.step("checks", "doctor", lambda s: s.report("doctor")["result"]["cuda"])


def look_for_devices(session):
    report = session.report("devices")["result"]
    session.results["cuda"] = report["cuda"]
    session.results["driver"] = driver_of(session) or report["cuda"]["driver_version"]
    if report["cuda"]["state"] != "ready":
        raise NoDevice(report["cuda"]["reason"])
    session.results["device"] = [device for device in report["devices"] if device["backend"] == "cuda"]
    return {"devices": len(session.results["device"])}


def driver_of(session):
    if not shutil.which("nvidia-smi"):
        return None
    done = session.run("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", accept=range(256))
    return done.stdout.split("\n")[0].strip() or None


def correctness(session):
    session.step("checks", "doctor --selftest", selftest)
    session.step("checks", "tests of the kernels", kernel_tests)
    session.step("checks", "fixtures, the processor's digests", fixtures)
    for name, (arguments, matrices) in (QUICK_DATA if session.quick else DATA).items():
        session.step("checks", f"generated {name}, the processor's digests", lambda s, a=arguments, m=matrices: generated(s, a, m))
    session.step("checks", "device memory within --gpu-memory", memory_limit)
    session.step("checks", "normalize, the processor's bytes", normalized)
    session.step("checks", "multiply, the processor's bits both ways", multiplied)


def sanitizers(session):
    """Last: they are slow, and nothing is measured after them."""
    session.step("checks", "compute-sanitizer memcheck", memcheck)
    session.step("checks", "compute-sanitizer racecheck", racecheck)


def selftest(session):
    tests = session.report("doctor", "--selftest", accept=(0, 6))["result"].get("selftest", [])
    wrong = [f"{test['name']}: {test['failure']}" for test in tests if not test["passed"]]
    if wrong or not tests:
        raise Failed("; ".join(wrong) or "nothing was tested")
    return {"cases": len(tests)}


def kernel_tests(session):
    words = [f"--gtest_filter={QUICK_TESTS}"] if session.quick else []
    done = session.run(session.program("quern_gpu_kernel_tests"), "--gtest_brief=1", *words, limit=150)
    return {"told": done.stdout.strip().splitlines()[-1]}


def digest(session, file, backend, *arguments):
    report = session.report("qc", file, "--moments", "--backend", backend, *arguments)
    if report["quern"]["backend"] != backend:
        raise Failed(f"{file.name}: computed by {report['quern']['backend']}")
    return report["digest"]


def compare(session, file, arguments, settings):
    expected = digest(session, file, "cpu", *arguments)
    wrong = [name for name, words in settings.items() if digest(session, file, "cuda", *arguments, *words) != expected]
    return [f"{file.name} {' '.join(arguments)}: another digest, {name}" for name in wrong]


def fixtures(session):
    cases = json.loads((session.pack / "data" / "cases.json").read_text(encoding="utf-8"))
    cases = cases[::12] if session.quick else cases
    settings = {"as it comes": [], "chunks of one value": ["--chunk-nnz", "1", "--test-slots", "2"]}
    with concurrent.futures.ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        wrong = pool.map(lambda case: compare(session, session.pack / "data" / case["path"], case["arguments"], settings), cases)
        wrong = [complaint for complaints in wrong for complaint in complaints]
    if wrong:
        raise Failed("\n".join(wrong))
    return {"cases": len(cases), "runs": len(cases) * len(settings)}


def generate(session, name, arguments):
    file = session.work / f"{name}.h5ad"
    session.quern("generate", file, *arguments, "--force", "-q", limit=200)
    return file


def generated(session, arguments, matrices):
    file = generate(session, "data", arguments)
    settings = {name: SETTINGS[name] for name in list(SETTINGS)[1::3]} if session.quick else SETTINGS
    wrong = [complaint for matrix in matrices for complaint in compare(session, file, ["--layer", matrix], settings)]
    file.unlink()
    if wrong:
        raise Failed("\n".join(wrong))
    return {"runs": len(matrices) * len(settings)}


def memory_limit(session):
    file = generate(session, "memory", ["--preset", "pbmc3k", *(["--cells", "60", "--genes", "400"] if session.quick else [])])
    found = {}
    for limit in (96 << 20, 100_000_000, 256 << 20, 1 << 30):
        report = session.report("qc", file, "--backend", "cuda", "--gpu-memory", str(limit))
        found[str(limit)] = report["run"]["peak_device_bytes"]
        if not 0 < report["run"]["peak_device_bytes"] <= limit:
            raise Failed(f"{report['run']['peak_device_bytes']} bytes with {limit}")
    return {"peak_device_bytes": found}


def normalized(session):
    if "normalize" not in session.quern("--help").stdout:
        raise NotRun("this program has no normalize")
    file = generate(session, "to_normalize", ["--preset", "pbmc3k", *(["--cells", "60", "--genes", "400"] if session.quick else [])])
    outputs = {}
    for backend in ("cpu", "cuda"):
        outputs[backend] = session.work / f"normalized_{backend}.h5ad"
        session.quern("normalize", file, "-o", outputs[backend], "--backend", backend, "--no-provenance", "--force", "-q")
    if outputs["cpu"].read_bytes() != outputs["cuda"].read_bytes():
        raise Failed("other bytes than the processor's")
    return {"bytes": outputs["cuda"].stat().st_size}


def write_npy(path, n_rows, n_cols):
    """Numbers between -1 and 1 in float32, as NumPy writes them; without NumPy, which need not be there."""
    values = array.array("f", ((i * 2654435761 % 2**32) / 2**31 - 1 for i in range(n_rows * n_cols)))
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {n_cols}), }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + values.tobytes())
    return path


def multiplied(session):
    if "multiply" not in session.quern("--help").stdout:
        raise NotRun("this program has no multiply")
    file = generate(session, "to_multiply", ["--preset", "pbmc3k", *(["--cells", "60", "--genes", "400"] if session.quick else [])])
    shape = session.report("info", file)["input"]
    for how, rows in (([], shape["n_vars"]), (["--transpose"], shape["n_obs"])):
        factor = write_npy(session.work / f"factor_{rows}.npy", rows, 40)
        outputs = {backend: session.work / f"product_{backend}.npy" for backend in ("cpu", "cuda")}
        for backend, path in outputs.items():
            session.quern("multiply", file, "--by", factor, *how, "-o", path, "--backend", backend, "--force", "-q")
        if outputs["cpu"].read_bytes() != outputs["cuda"].read_bytes():
            raise Failed(f"other bits than the processor's{' transposed' if how else ''}")
    return {"bytes": outputs["cuda"].stat().st_size}


def sanitizer(session, which, *command):
    program = tool("compute-sanitizer")
    if not program:
        raise NotRun("there is no compute-sanitizer")
    done = session.run(program, "--tool", which, "--error-exitcode", "9", *command, limit=100, accept=range(256), late=NotRun)
    text = done.stdout + done.stderr
    if "not supported" in text or "Unable to" in text:
        raise NotRun(f"compute-sanitizer refuses this device: {text[-300:]}")
    if done.returncode != 0:
        raise Failed(f"exit {done.returncode}\n{text[-2000:]}")
    return {"told": text.strip().splitlines()[-1]}


def memcheck(session):
    """On the tests of the kernels, where every array is an allocation of its own: the program cuts its arrays from few blocks."""
    return sanitizer(session, "memcheck", session.program("quern_gpu_kernel_tests"), f"--gtest_filter={QUICK_TESTS}", "--gtest_brief=1")


def racecheck(session):
    return sanitizer(session, "racecheck", session.program("quern_gpu_kernel_tests"), f"--gtest_filter={QUICK_TESTS}", "--gtest_brief=1")
