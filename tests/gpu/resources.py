"""Registers and memory of every kernel as ptxas reports them, against resources.txt: no kernel spills, none takes more registers than listed.

    resources.py NVCC ARCH[,ARCH...] [FLAG...]      check; --write first: make the table anew
"""
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TABLE = HERE / "resources.txt"
SOURCES = ("cuda/kernels/whole_launches.cu", "cuda/kernels/real_launches.cu", "cuda/kernels/map_launches.cu",
           "cuda/kernels/product_launches.cu", "cuda/kernels/gram_launches.cu")
Use = collections.namedtuple("Use", "registers stack spills shared variants")


def functor(mangled):
    """The name of the kernel's struct, of whatever arguments: WholeFold."""
    found = re.search(r"run_kernelINS\w*?_(\d+)(\w+)", mangled)
    return found.group(2)[: int(found.group(1))] if found else mangled


def report(nvcc, source, arch, flags):
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, *flags, f"-arch=sm_{arch}", f"-I{ROOT}", "-Xptxas=-v", "-c", str(ROOT / source), "-o", f"{folder}/out.o"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{source} does not compile for sm_{arch}:\n{done.stderr}{done.stdout}")
    return done.stderr + done.stdout


def uses(text):
    """Kernel -> the most that any of its variants takes."""
    found = {}
    for block in text.split("Compiling entry function '")[1:]:
        name = functor(block.split("'")[0])
        stack, stores, loads = (int(re.search(rf"(\d+) bytes {what}", block).group(1)) for what in ("stack frame", "spill stores", "spill loads"))
        registers = int(re.search(r"Used (\d+) registers", block).group(1))
        shared = sum(int(n) for n in re.findall(r"(\d+) bytes smem", block))
        mine = Use(registers, stack, stores + loads, shared, 1)
        before = found.get(name, Use(0, 0, 0, 0, 0))
        found[name] = Use(*(max(a, b) for a, b in zip(mine[:4], before[:4])), before.variants + 1)
    return found


def read_table():
    rows = (line.split() for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))
    return {(arch, name): int(registers) for arch, name, registers in rows}


def write_table(measured):
    lines = ["# The most registers a thread of each kernel may take, by architecture; spills, stack and static shared memory: none.",
             "# Made by tests/gpu/resources.py --write; a change belongs into the commit that causes it."]
    lines += [f"sm_{arch} {name} {use.registers}" for (arch, name), use in sorted(measured.items())]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def compare(measured, archs):
    table = {key: registers for key, registers in read_table().items() if key[0].removeprefix("sm_") in archs}
    wrong = []
    for (arch, name), use in sorted(measured.items()):
        allowed = table.pop((f"sm_{arch}", name), None)
        if use.stack or use.spills or use.shared:
            wrong.append(f"sm_{arch} {name}: {use.stack} bytes of stack, {use.spills} of spills, {use.shared} of static shared memory")
        if allowed is None:
            wrong.append(f"sm_{arch} {name}: {use.registers} registers, not in {TABLE.name}")
        elif use.registers > allowed:
            wrong.append(f"sm_{arch} {name}: {use.registers} registers, {allowed} in {TABLE.name}")
    return wrong + [f"{arch} {name}: in {TABLE.name}, but no such kernel" for arch, name in sorted(table)]


def main(words):
    write = words[0] == "--write"
    nvcc, archs, *flags = words[1:] if write else words
    archs = archs.split(",")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = {(arch, source): pool.submit(report, nvcc, source, arch, flags) for arch in archs for source in SOURCES}
    measured = {(arch, name): use for (arch, _), job in jobs.items() for name, use in uses(job.result()).items()}
    if write:
        write_table(measured)
    wrong = compare(measured, archs)
    print("\n".join(wrong) or f"{sum(use.variants for use in measured.values())} kernels of {len(archs)} architectures: no spills, registers as listed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
