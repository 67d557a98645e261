"""No source file over 400 lines: a reader gets lost past that."""
LIMIT = 400
SUFFIXES = (".cpp", ".hpp", ".cu", ".cuh", ".py")


def check(tree):
    lengths = ((path, tree.text(path).count("\n")) for path in tree.files if path.endswith(SUFFIXES))
    return [f"{path}: {lines} lines, at most {LIMIT}" for path, lines in lengths if lines > LIMIT]


SAMPLES = [
    ({"io/a.cpp": "\n" * 400}, 0),
    ({"io/a.cpp": "\n" * 401}, 1),
]
