"""What is promised about speed and memory, as limits on the results of a run of the benchmark."""
import dataclasses

MIB = 1 << 20
RSS_ABOVE_BUDGET_MIB = 48
RSS_OF_WRITING_ABOVE_BUDGET_MIB = 64
# Per-cell results: each column of the table as eight bytes, and the name with its share of bookkeeping.
CELL_COLUMNS, CELL_NAME_BYTES = 11, 64


@dataclasses.dataclass(frozen=True)
class Bar:
    """`measured` is None where the run did not measure it. `at_least`: the limit is a floor, not a ceiling."""
    label: str
    measured: float | None
    limit: float
    unit: str = "x"
    at_least: bool = False

    @property
    def holds(self):
        if self.measured is None:
            return False
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def line(self):
        sign = ">=" if self.at_least else "<="
        value = "not measured" if self.measured is None else f"{self.measured:.2f} {self.unit}"
        return f"{'pass' if self.holds else 'FAIL'}  {self.label:<58} {value:>14}  ({sign} {self.limit:g} {self.unit})"


def least(results, variant, lane):
    """Least seconds of the lane's runs on the variant; None where it was not measured."""
    runs = results["variants"].get(variant, {}).get("lanes", {}).get(lane)
    return min(run["seconds"] for run in runs) if runs else None


def ratio(above, below):
    return above / below if above is not None and below is not None else None


def speed_bars(results):
    def times(variant, lane, base="floor"):
        return ratio(least(results, variant, lane), least(results, variant, base))

    bars = [Bar(f"{v}: qc --percent-top none, of the floor", times(v, "quern-bare"), limit)
            for v, limit in (("gz", 1.35), ("cxg", 1.35), ("legacy", 1.35), ("tenx", 1.6))]
    bars.append(Bar("gz: qc with all defaults and both tables, of the floor", times("gz", "quern-full"), 1.75))
    values = results["variants"].get("raw", {}).get("n_values")
    rate = ratio(values and values / 1e6, least(results, "raw", "quern-bare"))
    bars.append(Bar("raw: qc --percent-top none, million values a second", rate, 600, "M/s", at_least=True))
    bars.append(Bar("gz: scanpy / quern, all defaults, tables", times("gz", "scanpy-full", "quern-full"), 8, at_least=True))
    bars.append(Bar("raw: scanpy / quern, percent-top off, tables", times("raw", "scanpy-bare", "quern-bare-tables"), 15, at_least=True))
    bars.append(Bar("gz: crest / quern (all defaults, tables)", times("gz", "crest", "quern-full"), 5, at_least=True))
    return bars


def start_bars(results):
    bars = []
    for variant in results["variants"]:
        for lane, limit in (("quern-version", 20), ("quern-info", 50)):
            seconds = least(results, variant, lane)
            bars.append(Bar(f"{variant}: {lane.replace('-', ' ')}", seconds and seconds * 1e3, limit, "ms"))
    return bars


# Of each writing verb: how many times as fast as scanpy at least; its time at most that of the floor; its file at most scanpy's.
WRITING_LIMITS = {("gz", "normalize-gzip"): 10, ("gz", "filter-gzip"): 8, ("raw", "normalize-none"): 3, ("gz", "convert-gzip"): 5,
                  ("gz", "convert-none"): 3}
OF_WRITE_FLOOR, OF_PEERS_FILE = 1.3, 1.1


def writing_bars(results):
    bars = []
    for (variant, name), times in WRITING_LIMITS.items():
        found = results["variants"].get(variant, {}).get("writing", {}).get(name, {})
        lanes, sizes = found.get("lanes", {}), found.get("file_bytes", {})

        def best(lane, lanes=lanes):
            return min((run["seconds"] for run in lanes.get(lane, ())), default=None)

        bars.append(Bar(f"{variant}: scanpy / quern, {name}", ratio(best(f"scanpy-{name}"), best(name)), times, at_least=True))
        bars.append(Bar(f"{variant}: {name}, of the floor", ratio(best(name), best(f"floor-{name}")), OF_WRITE_FLOOR))
        bars.append(Bar(f"{variant}: {name}, file of quern / of scanpy", ratio(sizes.get("quern"), sizes.get("scanpy")), OF_PEERS_FILE))
    return bars


def peak(lanes, name):
    runs = lanes.get(name)
    return max(run["peak_rss_bytes"] for run in runs) / MIB if runs else None


def memory_bars(results):
    bars = []
    for variant, found in results["variants"].items():
        lanes = found.get("memory", {})
        for mib in (128, 512):
            bars.append(Bar(f"{variant}: peak RSS with --memory {mib}MiB", peak(lanes, f"memory-{mib}MiB"), mib + RSS_ABOVE_BUDGET_MIB, "MiB"))
        bars.append(Bar(f"{variant}: peak RSS by default", peak(lanes, "memory-default"), 400, "MiB"))
    return [*bars, growth_bar(results.get("growth")), *writing_memory_bars(results)]


def writing_memory_bars(results):
    bars = []
    for cells, lanes in (results.get("writing_memory") or {}).items():
        for name in lanes:
            mib = int(name.rpartition("-")[2].removesuffix("MiB"))
            bars.append(Bar(f"{int(cells):,} cells: peak RSS of {name}", peak(lanes, name), mib + RSS_OF_WRITING_ABOVE_BUDGET_MIB, "MiB"))
    return bars


def growth_bar(growth):
    """Peak RSS from few cells to many: by no more than the results of the cells added."""
    if not growth:
        return Bar("peak RSS, few cells to many", None, 0, "MiB")
    few, many = growth["few"], growth["many"]
    allowed = (many["cells"] - few["cells"]) * (8 * CELL_COLUMNS + CELL_NAME_BYTES) / MIB
    grown = (many["peak_rss_bytes"] - few["peak_rss_bytes"]) / MIB
    return Bar(f"peak RSS, {few['cells']:,} to {many['cells']:,} cells, growth", grown, allowed, "MiB")


def all_bars(results):
    return [*speed_bars(results), *writing_bars(results), *start_bars(results), *memory_bars(results)]
