"""Lanes of the verbs that write an h5ad: quern, the floor of reading and writing the same bytes, and scanpy doing the same."""
import dataclasses
import pathlib

from measure import Lane

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 3


@dataclasses.dataclass(frozen=True)
class Writing:
    """quern VERB FILE -o ... with these words; scanpy's side is the function of that name in peers.py."""
    name: str
    words: tuple
    peer: str

    def lanes(self, setup, file, with_peer):
        """quern first: the floor writes what quern has written."""
        written, made = (str(setup.work / f"{self.name}.{who}.h5ad") for who in ("quern", "floor"))
        command = (setup.quern, *self.words, str(file), "-o", written, "--no-provenance", "--threads", str(setup.threads), "--json", "-")
        floor = (str(pathlib.Path(setup.floor).parent / "quern_write_floor"), str(file), written, made, str(setup.threads))
        lanes = [Lane(self.name, command, written=(written,), steady=("digest",)), Lane(f"floor-{self.name}", floor, inner=True)]
        if with_peer:
            peer = (setup.python, "-B", str(HERE / "peers.py"), f"scanpy-{self.peer}", str(file), str(setup.work))
            lanes.append(Lane(f"scanpy-{self.name}", peer, inner=True, written=(str(setup.work / f"scanpy-{self.peer}.h5ad"),)))
        return lanes

    def files(self, setup):
        """What quern and scanpy have written."""
        return str(setup.work / f"{self.name}.quern.h5ad"), str(setup.work / f"scanpy-{self.peer}.h5ad")


def _normalize(compression):
    name = "none" if compression == "none" else "gzip"
    words = ("normalize", "--target-sum", "1e4", "--compression", compression)
    return Writing(f"normalize-{name}", words, f"normalize-{name}")


def _convert(compression):
    """Everything is packed anew: without --compression stored chunks would only be copied."""
    name = "none" if compression == "none" else "gzip"
    return Writing(f"convert-{name}", ("convert", "--compression", compression), f"convert-{name}")


FILTER = Writing("filter-gzip", ("filter", "--min-genes", "500", "--min-cells", "3"), "filter-gzip")

# What is written from each of make_data.py's files.
WRITINGS = {"gz": (_normalize("gzip:1"), _normalize("none"), FILTER, _convert("gzip:1"), _convert("none")), "raw": (_normalize("none"),)}

# What --memory is held to: verbs that pass over X once and twice.
MEMORY_LIMITS_MIB = (128, 512)
MEMORY_VERBS = {"normalize": ("normalize", "--target-sum", "1e4"), "normalize-median": ("normalize",),
                "filter": ("filter", "--min-genes", "500", "--min-cells", "3"), "convert": ("convert", "--compression", "gzip:1")}


def memory_lanes(setup, file):
    written = str(setup.work / "memory.h5ad")
    for name, words in MEMORY_VERBS.items():
        for mib in MEMORY_LIMITS_MIB:
            command = (setup.quern, *words, str(file), "-o", written, "--threads", str(setup.threads), "--memory", f"{mib}MiB", "--json", "-")
            yield Lane(f"{name}-{mib}MiB", command, written=(written,), steady=("digest",))
