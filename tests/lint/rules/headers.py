"""Every header compiles alone. Where NAME.cpp includes NAME.hpp before anything else, building it has shown that already."""
import concurrent.futures
import os
import re
import shlex
import subprocess


def _include_flags(build):
    """-I and -isystem options of the whole project, from the compilation database."""
    if build is None or not (build / "compile_commands.json").exists():
        return []
    text = (build / "compile_commands.json").read_text(encoding="utf-8")
    found = re.findall(r"-isystem [^ \"]+|-I ?[^ \"]+", text)
    return shlex.split(" ".join(sorted(set(found))))


def _shown_by_build(tree, header):
    source = header.removesuffix(".hpp") + ".cpp"
    if tree.build is None or source not in tree.files:
        return False
    first = re.search(r"^\s*#\s*include\s*(\S+)", tree.text(source), re.M)
    return first is not None and first.group(1) == f'"{header}"'


def _compile(tree, path, flags):
    command = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-I", str(tree.root), *flags, "-x", "c++", "-"]
    done = subprocess.run(command, input=f'#include "{path}"\n', capture_output=True, text=True, check=False)
    first = next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip())
    return [] if done.returncode == 0 else [f"{path}: does not compile alone: {first}"]


def check(tree):
    headers = [path for path in tree.cpp() if path.endswith(".hpp") and not _shown_by_build(tree, path)]
    flags = _include_flags(tree.build)
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return [message for found in pool.map(lambda path: _compile(tree, path, flags), headers) for message in found]


SAMPLES = [
    ({"host/core/a.hpp": "#pragma once\n#include <vector>\ninline std::vector<int> f() { return {}; }\n"}, 0),
    ({"host/core/a.hpp": "#pragma once\ninline std::vector<int> f() { return {}; }\n"}, 1),
]
