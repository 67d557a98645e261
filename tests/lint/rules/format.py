"""C++ is formatted as .clang-format says."""
import subprocess

CHUNK = 40


def check(tree):
    files = tree.cpp()
    found = []
    style = "file" if (tree.root / ".clang-format").exists() else "Google"
    for first in range(0, len(files), CHUNK):
        command = ["clang-format", f"--style={style}", "--dry-run", "-Werror", *files[first:first + CHUNK]]
        done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
        found += sorted({line.split(":", 1)[0] for line in done.stderr.splitlines() if "clang-format-violations" in line})
        if done.returncode != 0 and "clang-format-violations" not in done.stderr:
            found.append(done.stderr.strip())
    return [f"{path}: run clang-format -i on it" for path in found]


SAMPLES = [
    ({"io/a.cpp": "int f() { return 1; }\n"}, 0),
    ({"io/a.cpp": "int  f( ) {return 1;}\n"}, 1),
]
