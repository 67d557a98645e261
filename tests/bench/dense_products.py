"""Products with a dense matrix: quern and scipy on the same matrix in memory, in alternation, then the whole verb beside the decode floor.

    dense_products.py FILE.h5ad [--columns 32,64] [--rounds 5] [--threads 2] [--build build] [--json OUT]

Needs scipy and h5py (the Python of `./bootstrap test` has them). scipy multiplies float32 by float32 in float32 on one thread, which is all it
does; quern adds up in 64-bit floats. The sums of the results are compared before any time counts.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np
import scipy.sparse as sp

ROOT = pathlib.Path(__file__).resolve().parents[2]


def factor(rows, columns):
    """The numbers of resident_product.cpp."""
    return ((np.arange(rows * columns, dtype=np.uint64) * np.uint64(2654435761) % 256) / 256).astype(np.float32).reshape(rows, columns)


def read_matrix(path):
    with h5py.File(path) as file:
        x = file["X"]
        return sp.csr_matrix((x["data"][:], x["indices"][:], x["indptr"][:]), shape=tuple(x.attrs["shape"]))


def timed(work):
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def resident(options, x, columns):
    """Least seconds of all rounds, by lane and contestant."""
    genes, cells, transposed = factor(x.shape[1], columns), factor(x.shape[0], columns), x.T
    command = [options.build / "quern_resident_product", options.file, columns, options.threads, 3]
    best = {}
    for _ in range(options.rounds):
        said = json.loads(subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout)
        for lane, work in (("straight", lambda: x @ genes), ("transposed", lambda: transposed @ cells)):
            seconds, result = timed(work)
            theirs = float(result.sum(dtype=np.float64))
            if abs(said[f"{lane}_sum"] - theirs) > 1e-5 * abs(theirs):
                raise SystemExit(f"{lane}: sums differ: {said[f'{lane}_sum']} and {theirs}")
            for who, found in (("quern", said[lane]), ("scipy", seconds)):
                best[lane, who] = min(best.get((lane, who), 1e9), found)
    return best


def whole_verb(options, shape, columns, folder):
    """Least wall seconds of `quern multiply` both ways, and of the decode floor's own count."""
    np.save(folder / "genes.npy", factor(shape[1], columns))
    np.save(folder / "cells.npy", factor(shape[0], columns))
    quern = [options.build / "quern", "multiply", options.file, "-o", folder / "out.npy", "-f", "-q", "-t", options.threads, "--backend", "cpu"]
    commands = {"multiply": [*quern, "--by", folder / "genes.npy"], "multiply --transpose": [*quern, "--by", folder / "cells.npy", "--transpose"]}
    best = {}
    for _ in range(options.rounds):
        for name, command in commands.items():
            seconds, _ = timed(lambda command=command: subprocess.run(list(map(str, command)), check=True, capture_output=True))
            best[name] = min(best.get(name, 1e9), seconds)
        floor = subprocess.run([str(options.build / "quern_decode_floor"), str(options.file)], check=True, capture_output=True, text=True).stdout
        best["floor"] = min(best.get("floor", 1e9), json.loads(floor)["seconds"])
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--columns", default="32,64")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    x, results = read_matrix(options.file), {"file": options.file.name, "nnz": None, "threads": options.threads, "lanes": []}
    results["nnz"] = int(x.nnz)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None) as folder:
        for columns in map(int, options.columns.split(",")):
            best = resident(options, x, columns)
            for lane in ("straight", "transposed"):
                ours, theirs = best[lane, "quern"], best[lane, "scipy"]
                rate = 2e-9 * x.nnz * columns
                print(f"{lane:<10} {columns:>3} columns, in memory: quern {ours:.4f} s ({rate / ours:.1f} GFLOP/s), scipy {theirs:.4f} s "
                      f"({rate / theirs:.1f}): {theirs / ours:.2f} x")
                results["lanes"].append({"lane": lane, "columns": columns, "quern": ours, "scipy": theirs, "ratio": theirs / ours})
            whole = whole_verb(options, x.shape, columns, pathlib.Path(folder))
            for name in ("multiply", "multiply --transpose"):
                print(f"{name}, {columns} columns, whole process: {whole[name]:.3f} s, {whole[name] / whole['floor']:.2f} x the decode floor")
                results["lanes"].append({"lane": name, "columns": columns, "seconds": whole[name], "floor": whole["floor"]})
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
