"""Running quern and reading what it writes."""
import csv
import gzip
import json
import math
import subprocess

TIME_LIMIT_SECONDS = 120


def run(binary, *arguments, expect=0, **options):
    """Runs the program; its exit code must be `expect`."""
    done = subprocess.run([binary, *map(str, arguments)], capture_output=True, text=True, timeout=TIME_LIMIT_SECONDS, check=False, **options)
    assert done.returncode == expect, (f"quern {' '.join(map(str, arguments))}: exit {done.returncode}, expected {expect}\n"
                                       f"{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def number(text):
    """An integer stays one; `nan` and `inf` as Python reads them."""
    try:
        return int(text)
    except ValueError:
        return float(text)


def read_table(path):
    """(names of the rows, {column: numbers}) of one of our tables."""
    opened = gzip.open(path, "rt", encoding="utf-8", newline="") if str(path).endswith(".gz") else open(path, encoding="utf-8", newline="")
    with opened as file:
        rows = csv.reader(file, delimiter="\t")
        header = next(rows)
        body = list(rows)
    assert all(len(row) == len(header) for row in body), f"{path}: rows of unequal length"
    columns = {name: [number(row[i]) for row in body] for i, name in enumerate(header) if i > 0}
    return header[0], [row[0] for row in body], columns


def qc(binary, folder, file, *arguments, **options):
    """One qc run with both tables: (report, cells, genes) with tables as read_table gives them."""
    names = [folder / "cells.tsv", folder / "genes.tsv", folder / "qc.json"]
    run(binary, "qc", file, *arguments, "--cells-out", names[0], "--genes-out", names[1], "--json", names[2], "--force", "-q", **options)
    report = json.loads(names[2].read_text(encoding="utf-8"))
    return report, read_table(names[0]), read_table(names[1])


def close(ours, theirs, relative, absolute=0.0):
    """NaN equals NaN, an infinity itself; else within relative * |theirs| + absolute."""
    ours, theirs = float(ours), float(theirs)
    if math.isnan(theirs) or math.isnan(ours) or math.isinf(theirs) or math.isinf(ours):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    return abs(ours - theirs) <= relative * abs(theirs) + absolute


def differences(ours, theirs, relative, absolute=0.0):
    """Places where two columns differ; absolute may be one number or one a place."""
    assert len(ours) == len(theirs), f"{len(ours)} values, expected {len(theirs)}"
    limits = absolute if isinstance(absolute, list) else [absolute] * len(ours)
    return [f"[{i}] {a!r}, expected {b!r}" for i, (a, b, limit) in enumerate(zip(ours, theirs, limits)) if not close(a, b, relative, limit)]
