"""Lets the Nth call of one function that changes the disk go wrong, once or for ever, whoever makes it: the program, HDF5 or zlib."""
import collections
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")


def build(folder):
    """Compiles the library; its path."""
    library = folder / "nth_call.so"
    subprocess.run(["gcc", "-O1", "-Wall", "-Wno-nonnull-compare", "-shared", "-fPIC", SOURCE, "-o", library, "-ldl"], check=True)
    return library


@dataclass
class NthCall:
    """The environments of runs with the library. Calls count that touch what lies below the folder."""

    library: Path
    folder: Path

    def _environment(self, absent, **more):
        names = {f"QUERN_NTH_{name.upper()}": str(value) for name, value in more.items()}
        return {**os.environ, "LD_PRELOAD": str(self.library), "QUERN_NTH_FOLDER": str(self.folder), "QUERN_NTH_ABSENT": absent, **names}

    def count(self, log, absent=""):
        return self._environment(absent, log=log)

    def fail(self, function, number, how, absent=""):
        """`how`: once, ever (from there on), short (does half), lost (a pwrite that does nothing)."""
        return self._environment(absent, function=function, number=number, how=how)


def counts(log):
    """{function: calls} of what a run with count() wrote."""
    return collections.Counter(log.read_text(encoding="ascii").split())
