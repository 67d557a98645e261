"""Includes point down only, and each library is included in the folders that own it."""
import re

# Folder -> project folders it may include. The longest matching folder counts.
MAY_INCLUDE = {
    "host/core": ["host/core"],
    "host/ops": ["host/core", "host/ops"],
    "host/cpu": ["host/core", "host/ops", "host/cpu"],
    "host/pipeline": ["host/core", "host/ops", "host/pipeline"],
    "host/mpi": ["host/core", "host/mpi"],
    "io": ["host/core", "io"],
    "datasets": ["host/core", "io", "datasets"],
    "cuda": ["host/core", "host/ops", "cuda"],
    "cli": ["host", "io", "cuda", "datasets", "cli"],
    "tests/oracle": ["host/core", "tests/oracle", "tests/support"],
    "tests": ["host", "io", "cuda", "datasets", "cli", "tests"],
}

# Library headers (regular expression of the name between the brackets) -> folders that may include them.
LIBRARIES = {
    r"hdf5\.h|H5.*": ["io", "tests"],
    r"libdeflate\.h|zlib\.h|zstd.*\.h|lz4.*\.h|blosc\.h": ["io", "tests"],
    r"xxhash\.h": ["host/ops", "io", "cli", "tests"],
    r"CLI/.*": ["cli"],
    r"nlohmann/.*": ["cli", "tests"],
    r"fmt/.*": ["io", "cli", "tests"],
    r"(oneapi/)?tbb(/.*|\.h)": ["host/cpu", "host/pipeline", "io", "datasets", "cli", "tests"],
    r"hwy/.*": ["host/ops", "host/cpu", "io", "tests"],
    r"(cblas|lapack.*|openblas.*)\.h": ["host/cpu"],
    r"mpi\.h": ["host/mpi"],
    r"cuda.*|cub/.*|thrust/.*|cusparse.*|cublas.*|cusolver.*": ["cuda", "tests/gpu"],
    r"gtest/.*|gmock/.*|benchmark/.*|sanitizer/.*": ["tests"],
}
# C++ and POSIX headers may be included anywhere; host/core and host/ops get the portable ones and what memory needs.
STANDARD = re.compile(r"[a-z_0-9]+|c[a-z]+|immintrin\.h|(sys|arpa|netinet)/[a-z]+\.h|[a-z]+\.h|linux/[a-z_]+\.h|asm/[a-z_]+\.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
THREADS = re.compile(r"std::(thread|jthread|async)\b(?!::hardware_concurrency)")
THREAD_FOLDERS = ["host/pipeline", "host/cpu", "tests"]


def _within(path, folders):
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _folder_of(path):
    owners = [folder for folder in MAY_INCLUDE if _within(path, [folder])]
    return max(owners, key=len, default=None)


def _check_library(path, name):
    for pattern, folders in LIBRARIES.items():
        if re.fullmatch(pattern, name):
            return [] if _within(path, folders) else [f"{path}: <{name}> may be included in {', '.join(folders)} only"]
    if STANDARD.fullmatch(name):
        return []
    return [f"{path}: <{name}> is not in the table of libraries (tests/lint/rules/includes.py)"]


def _check_file(tree, path, folder):
    text = tree.text(path)
    found = []
    for local, library in INCLUDE.findall(text):
        if library:
            found += _check_library(path, library)
        elif "/" not in local and not (tree.root / local).exists():
            found.append(f'{path}: "{local}" is not written from the root of the project')
        elif not _within(local, MAY_INCLUDE[folder]):
            found.append(f'{path}: "{local}": {folder} may include {", ".join(MAY_INCLUDE[folder])} only')
    if THREADS.search(text) and not _within(path, THREAD_FOLDERS):
        found.append(f"{path}: threads are made in {', '.join(THREAD_FOLDERS)} only")
    return found


def check(tree):
    found = []
    for path in tree.cpp():
        folder = _folder_of(path)
        if folder is None:
            found.append(f"{path}: its folder is not in the table of folders (tests/lint/rules/includes.py)")
        else:
            found += _check_file(tree, path, folder)
    return found


SAMPLES = [
    ({"host/core/a.hpp": "#include <vector>\n", "io/a.cpp": '#include <hdf5.h>\n#include "host/core/a.hpp"\n'}, 0),
    ({"cli/a.cpp": '#include "io/a.hpp"\n#include "host/cpu/a.hpp"\n#include <CLI/CLI.hpp>\n'}, 0),
    ({"host/core/a.hpp": '#include "host/ops/b.hpp"\n'}, 1),
    ({"host/ops/a.hpp": '#include "host/cpu/b.hpp"\n'}, 1),
    ({"host/cpu/a.hpp": '#include "host/pipeline/b.hpp"\n'}, 1),
    ({"io/a.hpp": '#include "host/ops/b.hpp"\n#include "cli/c.hpp"\n'}, 2),
    ({"host/pipeline/a.cpp": "#include <hdf5.h>\n"}, 1),
    ({"io/a.cpp": "#include <CLI/CLI.hpp>\n#include <nlohmann/json.hpp>\n"}, 2),
    ({"io/a.cpp": "std::jthread worker;\n"}, 1),
    ({"host/core/a.cpp": '#include <tbb/parallel_for.h>\n#include "b.hpp"\n'}, 2),
    ({"src/a.cpp": "\n"}, 1),
    ({"io/a.cpp": "#include <boost/any.hpp>\n"}, 1),
]
