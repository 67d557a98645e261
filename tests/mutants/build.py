"""The mutated build: a copy of the sources with every site made switchable, built once."""
import os
import shutil
import subprocess
from pathlib import Path

import sites

HERE = Path(__file__).resolve().parent
COPIED = ("host", "io", "cli", "datasets", "tests", "CMakeLists.txt")


def _copy(root, tree):
    """Only what changed is written, so that a second build is quick."""
    for name in COPIED:
        for path in [root / name] if (root / name).is_file() else sorted((root / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                target = tree / path.relative_to(root)
                target.parent.mkdir(parents=True, exist_ok=True)
                yield target, path


def _mutated(root, found):
    by_path = {}
    for number, site in enumerate(found):
        by_path.setdefault(site.path, []).append((number, site))
    return {path: sites.rewrite((root / path).read_text(encoding="utf-8"), numbered) for path, numbered in by_path.items()}


def make(root, folder, jobs):
    """Returns (sites, quern, unit tests)."""
    found = sites.find(root)
    tree, build = folder / "tree", folder / "build"
    changed = _mutated(root, found)
    wanted = set()
    for target, source in _copy(root, tree):
        wanted.add(target)
        name = source.relative_to(root).as_posix()
        text = changed.get(name, source.read_text(encoding="utf-8", errors="surrogateescape"))
        if not target.exists() or target.read_text(encoding="utf-8", errors="surrogateescape") != text:
            target.write_text(text, encoding="utf-8", errors="surrogateescape")
            shutil.copymode(source, target)
    for path in tree.rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()
    flags = f"-include {HERE}/quern_mutants.hpp -Wno-error"
    subprocess.run(["cmake", "-S", tree, "-B", build, "-G", "Ninja", "-DQUERN_WERROR=OFF", "-DQUERN_STATIC_HDF5=OFF", f"-DCMAKE_CXX_FLAGS={flags}",
                    "-DCMAKE_CXX_FLAGS_RELEASE=-O1"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build, f"-j{jobs}", "quern", "quern_unit_tests"], check=True, env={**os.environ, "CCACHE_BASEDIR": str(folder)})
    return found, build / "quern", build / "quern_unit_tests"
