"""Collects what a machine with a device needs and cannot build: program, module, their libraries, tests of the kernels, lanes, small files."""
import datetime
import json
import os
import re
import shutil
import subprocess
import sys

# Every Linux has these, and they have to be its own.
OF_THE_SYSTEM = re.compile(r"(linux-vdso|ld-linux|libc|libm|libdl|libpthread|librt|libcuda)[.-]")
NOT_BUILT = "run: {} does not build here: run ./bootstrap build --cuda where its packages are, or give the FOLDER of a pack made there"
TARGETS = ("quern", "quern_cuda", "quern_gpu_lanes", "quern_gpu_kernel_tests")


def libraries_of(path):
    """Paths of the shared libraries that a program or library loads."""
    text = subprocess.run(["ldd", path], capture_output=True, text=True, check=True).stdout
    if "not found" in text:
        sys.exit(f"run: {path} lacks libraries:\n{text}")
    found = re.findall(r"^\s*(\S+) => (\S+)", text, re.M)
    return {path for name, path in found if not OF_THE_SYSTEM.match(name)}


def build_for(archs, root, build):
    folder = build / f"gpu-sm_{archs.replace(';', '_').replace(',', '_')}"
    archs = archs.replace(",", ";")
    command = ["cmake", "-S", root, "-B", folder, "-G", "Ninja", f"-DQUERN_CUDA_ARCHS={archs}", f"-DQUERN_LANE_ARCHS={archs}"]
    if subprocess.run(command, check=False).returncode:
        sys.exit(NOT_BUILT.format(folder))
    return folder


def copy_stripped(source, target):
    shutil.copy(source, target)
    if shutil.which("strip"):
        subprocess.run(["strip", target], check=False)


def copy_programs(options, build, folder):
    program = options.program or build
    needed = [program / "quern", program / "libquern_cuda.so"]
    for path in needed:
        if not path.exists():
            sys.exit(f"run: {path} is missing: build it (./bootstrap build --cuda)")
    paths = [*needed, *(path for path in (build / options.kernel_tests, build / "quern_gpu_lanes") if path.exists())]
    if options.no_lanes:
        paths = [path for path in paths if path.name != "quern_gpu_lanes"]
    libraries = set()
    for path in paths:
        name = "quern_gpu_kernel_tests" if path.name == options.kernel_tests else path.name
        copy_stripped(path, folder / name)
        libraries |= libraries_of(path)
    (folder / "lib").mkdir()
    for path in sorted(libraries):
        shutil.copy(os.path.realpath(path), folder / "lib" / os.path.basename(path))


def copy_fixtures(build, folder):
    """The matrices of tests/fixtures without their truths: backends are compared with each other there, with the oracle in CI."""
    manifest = build / "fixtures" / "manifest.json"
    if not manifest.exists():
        sys.exit(f"run: {manifest.parent} is missing: make it with tests/fixtures/make_fixtures.py {manifest.parent}")
    cases = json.loads(manifest.read_text(encoding="utf-8"))["cases"]
    data = folder / "data"
    data.mkdir()
    for name in sorted({case["path"] for case in cases}):
        source = manifest.parent / name
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, data / name, dirs_exist_ok=True)
        elif not (data / name).exists():
            shutil.copy(source, data / name)
    short = [{key: case[key] for key in ("name", "path", "arguments")} for case in cases]
    (data / "cases.json").write_text(json.dumps(short), encoding="utf-8")


def commit_of(root):
    done = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def build_all(build):
    if subprocess.run(["cmake", "--build", build, "--target", *TARGETS], check=False).returncode:
        sys.exit(NOT_BUILT.format(build))


def pack(options, root):
    build = options.build.resolve()
    if options.archs:
        build = build_for(options.archs, root, build)
    if not options.no_build:
        build_all(build)
    folder = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_programs(options, build, folder)
    copy_fixtures(options.build.resolve(), folder)
    facts = {"commit": commit_of(root), "packed": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}
    (folder / "pack.json").write_text(json.dumps(facts) + "\n", encoding="utf-8")
    print(f"{folder}: {size_of(folder) / 2**20:.1f} MiB; there: tests/gpu/run {folder}")
    return 0
