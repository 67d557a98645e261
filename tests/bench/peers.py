#!/usr/bin/env python3
"""One run of a peer in a process of its own: read, compute, write tables. Prints one line of JSON.

  peers.py NAME FILE FOLDER     seconds (without imports) and their parts; tables in FOLDER/NAME.{cells,genes}.tsv, or FOLDER/NAME.h5ad
  peers.py NAME --probe         the versions; exit 1 where it cannot be imported
"""
import importlib
import importlib.metadata
import json
import pathlib
import sys
import time
import warnings

PACKAGES = {"scanpy": ("scanpy", "anndata", "scipy", "numpy", "h5py"), "crest": ("crest-sc", "polars", "h5py")}


class Stopwatch:
    """Seconds of each part, in order."""

    def __init__(self):
        self.parts, self.at = {}, time.perf_counter()

    def lap(self, name):
        now = time.perf_counter()
        self.parts[name], self.at = now - self.at, now


def run_scanpy(file, cells, genes, percent_top):
    scanpy = importlib.import_module("scanpy")
    watch = Stopwatch()
    data = scanpy.read_h5ad(file)
    watch.lap("read")
    data.var["mt"] = data.var_names.str.startswith("MT-")
    scanpy.pp.calculate_qc_metrics(data, qc_vars=["mt"], percent_top=percent_top, inplace=True)
    watch.lap("compute")
    data.obs.to_csv(cells, sep="\t")
    data.var.to_csv(genes, sep="\t")
    watch.lap("tables")
    return watch.parts


def normalize_with_scanpy(file, target, compression):
    scanpy = importlib.import_module("scanpy")
    watch = Stopwatch()
    data = scanpy.read_h5ad(file)
    watch.lap("read")
    scanpy.pp.normalize_total(data, target_sum=1e4)
    scanpy.pp.log1p(data)
    watch.lap("compute")
    data.write_h5ad(target, compression=compression)
    watch.lap("write")
    return watch.parts


def filter_with_scanpy(file, target):
    scanpy = importlib.import_module("scanpy")
    watch = Stopwatch()
    data = scanpy.read_h5ad(file)
    watch.lap("read")
    scanpy.pp.filter_cells(data, min_genes=500)
    scanpy.pp.filter_genes(data, min_cells=3)
    watch.lap("compute")
    data.write_h5ad(target, compression="gzip")
    watch.lap("write")
    return watch.parts


def convert_with_scanpy(file, target, compression):
    scanpy = importlib.import_module("scanpy")
    watch = Stopwatch()
    data = scanpy.read_h5ad(file)
    watch.lap("read")
    data.write_h5ad(target, compression=compression)
    watch.lap("write")
    return watch.parts


def run_crest(file, cells, genes):
    crest = importlib.import_module("crest")
    watch = Stopwatch()
    data = crest.read_h5ad(file)
    watch.lap("read")
    crest.pp.calculate_qc_metrics(data)
    watch.lap("compute")
    data.obs.write_csv(cells, separator="\t")
    data.var.write_csv(genes, separator="\t")
    watch.lap("tables")
    return watch.parts


PEERS = {
    "scanpy-full": lambda *paths: run_scanpy(*paths, percent_top=(50, 100, 200, 500)),
    "scanpy-bare": lambda *paths: run_scanpy(*paths, percent_top=None),
    "crest": run_crest,
}
WRITERS = {
    "scanpy-normalize-gzip": lambda *paths: normalize_with_scanpy(*paths, compression="gzip"),
    "scanpy-filter-gzip": filter_with_scanpy,
    "scanpy-convert-gzip": lambda *paths: convert_with_scanpy(*paths, compression="gzip"),
    "scanpy-convert-none": lambda *paths: convert_with_scanpy(*paths, compression=None),
    "scanpy-normalize-none": lambda *paths: normalize_with_scanpy(*paths, compression=None),
}


def main():
    name, *rest = sys.argv[1:]
    warnings.simplefilter("ignore")
    family = name.split("-")[0]
    importlib.import_module(family)
    versions = {package: importlib.metadata.version(package) for package in PACKAGES[family]}
    if rest == ["--probe"]:
        print(json.dumps({"versions": versions}))
        return
    file, folder = rest
    if name in WRITERS:
        parts = WRITERS[name](file, pathlib.Path(folder, f"{name}.h5ad"))
        print(json.dumps({"seconds": sum(parts.values()), "parts": parts, "versions": versions}))
        return
    tables = [pathlib.Path(folder, f"{name}.{kind}.tsv") for kind in ("cells", "genes")]
    for table in tables:
        table.unlink(missing_ok=True)
    parts = PEERS[name](file, *map(str, tables))
    print(json.dumps({"seconds": sum(parts.values()), "parts": parts, "versions": versions}))


if __name__ == "__main__":
    main()
