"""clang-tidy with .clang-tidy over the program's sources. Files that passed as they are (with what they include) are not looked at again."""
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess

FOLDERS = ("host/", "io/", "cli/", "datasets/")
LOCAL_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)
OUR_CONFIG = pathlib.Path(__file__).resolve().parents[3] / ".clang-tidy"


def _closure(tree, path, seen):
    """The file and every project header it includes, directly or not."""
    if path not in seen and path in tree.files:
        seen.add(path)
        for name in LOCAL_INCLUDE.findall(tree.text(path)):
            _closure(tree, name, seen)
    return seen


def _key(tree, path):
    digest = hashlib.sha256(OUR_CONFIG.read_bytes())
    for name in sorted(_closure(tree, path, set())):
        digest.update(f"{name}\n{tree.text(name)}".encode())
    return digest.hexdigest()


def _tidy(tree, path):
    stamp = tree.build / "tidy" / _key(tree, path) if tree.build else None
    if stamp and stamp.exists():
        return []
    command = ["clang-tidy", "--quiet", f"--config-file={OUR_CONFIG}", "--extra-arg=-w", str(tree.root / path)]
    command += ["-p", str(tree.build)] if tree.build else ["--", "-std=c++20", f"-I{tree.root}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted({line for line in done.stdout.splitlines() if re.search(r"\b(error|warning): ", line)})
    if done.returncode != 0:
        return found or [f"{path}: {done.stderr.strip()[:400]}"]
    if stamp:
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    return found


def check(tree):
    sources = [path for path in tree.cpp() if path.endswith(".cpp") and path.startswith(FOLDERS)]
    with concurrent.futures.ThreadPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        return sorted({message for found in pool.map(lambda path: _tidy(tree, path), sources) for message in found})


SAMPLES = [
    ({"io/a.cpp": "int f(int a) { return a; }\n"}, 0),
    ({"io/a.cpp": "#include <string>\nint f(std::string a) { return a.empty() ? 1 : 2; }\n"}, 1),
]
