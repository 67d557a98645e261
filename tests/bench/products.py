#!/usr/bin/env python3
"""`quern gram` and `pca` of 2,000 variable genes beside scipy and scanpy on the same file, in alternation; results are checked first.

  products.py FILE [--rounds N] [--quern PROGRAM]     needs the Python of the tests (build/venv/bin/python)

quern: the whole process, from the gzip-compressed counts to the result. scipy: X.T @ X alone, of a matrix in memory. scanpy: read,
normalize_total, log1p, pca, without imports. Prints the least of all rounds and the ratios, then one line of JSON with every time.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from measure import Lane, LaneFailed, alternate, fill_page_cache, warm_up  # noqa: E402

N_GENES, N_COMPS = 2000, 50
BARS = {"gram": 3, "pca": 7}


def peer(name, file, work):
    import numpy
    import scanpy
    start = time.perf_counter()
    data = scanpy.read_h5ad(file)
    data.X = data.X.tocsr()
    seconds, said = time.perf_counter() - start, {}
    chosen = work / "genes.txt"
    if name != "genes":
        mask = data.var_names.isin(chosen.read_text().splitlines())
    if name == "scipy-gram":
        part = data.X[:, mask].astype("f8")
        start = time.perf_counter()
        product = part.T @ part
        seconds = time.perf_counter() - start
        numpy.save(work / "gram.scipy.npy", product.toarray())
    else:
        start = time.perf_counter()
        scanpy.pp.normalize_total(data, target_sum=1e4)
        scanpy.pp.log1p(data)
        if name == "genes":
            scanpy.pp.highly_variable_genes(data, n_top_genes=N_GENES)
            chosen.write_text("".join(f"{gene}\n" for gene in data.var_names[data.var["highly_variable"]]))
        else:
            scanpy.pp.pca(data, n_comps=N_COMPS, mask_var=mask)
            said = {"variance": data.uns["pca"]["variance"].tolist()}
        seconds += time.perf_counter() - start
    print(json.dumps({"seconds": seconds, **said}))


def lanes(options, work):
    threads = str(len(os.sched_getaffinity(0)))
    common = (str(options.file), "--genes", f"@{work / 'genes.txt'}", "--threads", threads, "--json", "-", "-f")
    this = (sys.executable, "-B", str(HERE / "products.py"), str(options.file), "--work", str(work), "--peer")
    return [Lane("gram", (options.quern, "gram", *common, "-o", str(work / "gram.npy")), steady=("digest",)),
            Lane("scipy-gram", (*this, "scipy-gram"), inner=True),
            Lane("pca", (options.quern, "pca", *common, "--on", "log1p:1e4", "--n-comps", str(N_COMPS), "-o", str(work / "pca.npy")),
                 steady=("digest", "result")),
            Lane("scanpy-pca", (*this, "scanpy-pca"), inner=True)]


def check(warm, work):
    import numpy
    if not numpy.array_equal(numpy.load(work / "gram.npy"), numpy.load(work / "gram.scipy.npy")):
        raise LaneFailed("gram: other products than scipy's")
    ours, theirs = warm["pca"][0].said["result"]["variance"], warm["scanpy-pca"][0].said["variance"]
    if not numpy.allclose(ours, theirs, rtol=1e-3):
        raise LaneFailed("pca: other variances than scanpy's")


def measure(options, work):
    found = warm_up([Lane("genes", (sys.executable, "-B", str(HERE / "products.py"), str(options.file), "--work", str(work), "--peer", "genes"),
                          inner=True)], work)
    all_lanes = lanes(options, work)
    fill_page_cache(options.file)
    found = warm_up(all_lanes, work)
    check(found, work)
    runs = alternate(all_lanes, options.rounds, work, found)
    least = {name: min(run.seconds for run in done) for name, done in runs.items()}
    for name, other in (("gram", "scipy-gram"), ("pca", "scanpy-pca")):
        peak = max(run.peak_rss_bytes for run in runs[name]) >> 20
        print(f"{name:5} {least[name]:7.2f} s, {peak} MiB; {other} {least[other]:7.2f} s: {least[other] / least[name]:.1f} x (promised: {BARS[name]})")
    print(json.dumps({name: [run.as_json() for run in done] for name, done in runs.items()}))
    return all(least[other] >= BARS[name] * least[name] for name, other in (("gram", "scipy-gram"), ("pca", "scanpy-pca")))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quern", default=str(HERE.parent.parent / "build" / "quern"))
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    parser.add_argument("--work", type=pathlib.Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return peer(options.peer, options.file, options.work)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as work:
        return 0 if measure(options, pathlib.Path(work)) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LaneFailed as failure:
        print(failure, file=sys.stderr)
        sys.exit(3)
