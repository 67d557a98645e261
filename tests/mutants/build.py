"""The mutated build: a copy of the sources with every site made switchable, built once."""
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import sites

HERE = Path(__file__).resolve().parent
COPIED = ("host", "io", "cli", "cuda", "datasets", "tests", "CMakeLists.txt")


@dataclass
class Build:
    numbers: dict  # {name of a site: its number}
    quern: Path
    unit_tests: Path
    fingerprint: str  # of everything that decides what a run finds


def _files(root):
    """What of the tree is copied."""
    for name in COPIED:
        for path in [root / name] if (root / name).is_file() else sorted((root / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _mutated(root):
    """({name: number}, {path: rewritten source})."""
    found = sites.find(root)
    names = sites.names(found)
    numbers = sites.numbers(names)
    by_path = {}
    for name, site in zip(names, found):
        by_path.setdefault(site.path, []).append((numbers[name], site))
    return numbers, {path: sites.rewrite((root / path).read_text(encoding="utf-8"), numbered) for path, numbered in by_path.items()}


def make(root, folder, jobs):
    """Only what changed is written, so that a second build is quick."""
    tree, build = folder / "tree", folder / "build"
    numbers, changed = _mutated(root)
    wanted, digest = set(), hashlib.sha256()
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        text = changed[name].encode() if name in changed else path.read_bytes()
        digest.update(name.encode() + b"\0" + hashlib.sha256(text).digest())
        target = tree / name
        wanted.add(target)
        if not target.exists() or target.read_bytes() != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text)
            shutil.copymode(path, target)
    for path in tree.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    flags = f"-include {HERE}/quern_mutants.hpp -Wno-error"
    subprocess.run(["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DQUERN_WERROR=OFF", "-DQUERN_STATIC_HDF5=OFF", f"-DCMAKE_CXX_FLAGS={flags}",
                    "-DCMAKE_CXX_FLAGS_RELEASE=-O1"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, f"-j{jobs}", "quern", "quern_unit_tests"], check=True, env={**os.environ, "CCACHE_BASEDIR": str(folder)})
    return Build(numbers, build / "quern", build / "quern_unit_tests", digest.hexdigest())
