"""What is run on a file: quern, the floor, and the peers that are installed."""
import dataclasses
import json
import pathlib
import subprocess

from measure import Lane

HERE = pathlib.Path(__file__).resolve().parent
MEMORY_LIMITS_MIB = (128, 512)
PEERS = ("scanpy-full", "scanpy-bare", "crest")
# Peers take many times longer, so they run where a bar asks for them.
PEER_VARIANTS = {"gz": PEERS, "raw": PEERS}


@dataclasses.dataclass(frozen=True)
class Setup:
    """Where the programs are and how many threads they get."""
    quern: str
    floor: str
    python: str
    threads: int
    work: pathlib.Path

    def tables(self, name):
        return tuple(str(self.work / f"{name}.{kind}.tsv") for kind in ("cells", "genes"))


def quern_with_tables(setup, name, file, *options):
    cells, genes = setup.tables(name)
    command = (setup.quern, "qc", str(file), "--threads", str(setup.threads), "--cells-out", cells, "--genes-out", genes, "--force",
               "--json", "-", *options)
    return Lane(name, command, outputs=(cells, genes), steady=("digest", "result"))


def quern_lanes(setup, file):
    threads = ("--threads", str(setup.threads))
    bare = (setup.quern, "qc", str(file), "--percent-top", "none", "--json", "-", *threads)
    return [
        Lane("floor", (setup.floor, str(file), str(setup.threads)), inner=True, steady=("n_values",)),
        Lane("quern-bare", bare, steady=("digest", "result")),
        quern_with_tables(setup, "quern-bare-tables", file, "--percent-top", "none"),
        quern_with_tables(setup, "quern-full", file),
        Lane("quern-version", (setup.quern, "--version")),
        Lane("quern-info", (setup.quern, "info", str(file))),
    ]


def peer_lanes(setup, file, names):
    return [Lane(name, (setup.python, "-B", str(HERE / "peers.py"), name, str(file), str(setup.work)), inner=True) for name in names]


def memory_lanes(setup, file):
    limits = [quern_with_tables(setup, f"memory-{mib}MiB", file, "--memory", f"{mib}MiB") for mib in MEMORY_LIMITS_MIB]
    return [*limits, quern_with_tables(setup, "memory-default", file)]


def installed_peers(python, wanted):
    """({name: versions}, {name: why not}) of the peers wanted."""
    found, missing = {}, {}
    for name in wanted:
        done = subprocess.run([python, "-B", str(HERE / "peers.py"), name, "--probe"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            found[name] = json.loads(done.stdout)["versions"]
        else:
            missing[name] = (done.stderr.strip().splitlines() or ["did not start"])[-1]
    return found, missing
