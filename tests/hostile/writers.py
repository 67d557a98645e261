"""Every kind of output that the program writes: the words of a run, and what is at its target afterwards."""
import json
from dataclasses import dataclass

from hostile.bases import h5


@dataclass(frozen=True)
class Writer:
    """Words of runs; TARGET stands for the target."""

    verb: str
    target: str  # its name in the output folder
    words: tuple
    slow: tuple = ()  # more words, for a run that can be met in the middle
    small: tuple = ()  # more words, for a short run
    reads: bool = True

    def words_for(self, source, target, *more):
        words = [word.replace("TARGET", str(target)) for word in self.words]
        return [self.verb, *([str(source)] if self.reads else []), *words, "-q", *more]


ONE_BY_ONE = ("--chunk-nnz", "1", "-t", "1")
AS_H5AD = ("-o", "TARGET", "--no-provenance")
WRITERS = {
    "qc": Writer("qc", "out.h5ad", AS_H5AD, ("--moments", *ONE_BY_ONE)),
    "normalize": Writer("normalize", "out.h5ad", (*AS_H5AD, "--counts-layer", "counts"), ONE_BY_ONE),
    "filter": Writer("filter", "out.h5ad", (*AS_H5AD, "--min-genes", "1", "--min-cells", "1"), ONE_BY_ONE),
    "convert": Writer("convert", "out.h5ad", (*AS_H5AD, "--compression", "gzip:6"), ONE_BY_ONE),
    "10x": Writer("convert", "out.h5", ("-o", "TARGET"), ONE_BY_ONE),
    "mtx": Writer("convert", "folder", ("-o", "TARGET"), ONE_BY_ONE),
    "cells": Writer("qc", "cells.tsv", ("--cells-out", "TARGET"), ("--moments", *ONE_BY_ONE)),
    "genes": Writer("qc", "genes.tsv.gz", ("--genes-out", "TARGET"), ("--moments", *ONE_BY_ONE)),
    "shown": Writer("show", "shown.tsv.gz", ("X", "--sparse", "--rows", ":300", "-o", "TARGET")),
    "report": Writer("info", "report.json", ("--json", "TARGET")),
    "generated": Writer("generate", "made.h5ad", ("TARGET", "--preset", "pbmc3k"), ("--cells", "2000", "-t", "1"), ("--cells", "8", "--genes", "60"), reads=False),
}
READERS = [name for name, writer in WRITERS.items() if writer.reads]
OF_A_FAILED_RUN = "a report that says what failed"


def counts_of(folder):
    """A small input that every writer takes: whole numbers."""
    return h5("modern", lambda root: root["X/data"].__setitem__(..., abs(root["X/data"][...].round()) + 1))(folder)


def at(target):
    """What is there, in a form that equal runs share: None, the bytes, those of a folder's files, or of a report what is not of its run."""
    if target.is_dir():
        return {path.name: path.read_bytes() for path in target.iterdir()}
    if not target.exists():
        return None
    content = target.read_bytes()
    if target.suffix != ".json" or not content.startswith(b"{"):
        return content
    report = json.loads(content)
    del report["run"], report["warnings"]
    return OF_A_FAILED_RUN if "error" in report else report


def place_old(target):
    """Something that --force may replace; what at() says of it."""
    if target.suffix:
        target.write_text("old", encoding="ascii")
    else:
        target.mkdir()
        (target / "matrix.mtx.gz").write_text("old", encoding="ascii")
    return at(target)
