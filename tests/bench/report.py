"""The results for people: one table a file."""
import statistics

MIB = 1 << 20


def seconds_text(seconds):
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.1 else f"{seconds:.3f} s"


def lane_rows(found):
    floor = min((run["seconds"] for run in found["lanes"].get("floor", [])), default=None)
    full = min((run["seconds"] for run in found["lanes"].get("quern-full", [])), default=None)
    for name, runs in found["lanes"].items():
        times = [run["seconds"] for run in runs]
        best = min(times)
        passes_over_x = name not in ("quern-version", "quern-info")
        yield (name, seconds_text(best), seconds_text(statistics.median(times)),
               f"{best / floor:.2f}" if floor and passes_over_x else "", f"{best / full:.2f}" if full and passes_over_x else "",
               f"{found['n_values'] / best / 1e6:.0f}" if passes_over_x else "",
               f"{max(run['peak_rss_bytes'] for run in runs) / MIB:.0f}")
    for name, runs in found.get("memory", {}).items():
        yield name, "", "", "", "", "", f"{max(run['peak_rss_bytes'] for run in runs) / MIB:.0f}"


def table(rows, header):
    rows = [header, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))) for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def writing_rows(writing):
    for name, found in writing.items():
        best = {lane: min(run["seconds"] for run in runs) for lane, runs in found["lanes"].items()}
        for lane, runs in found["lanes"].items():
            who = "scanpy" if lane.startswith("scanpy-") else "quern"
            size = found["file_bytes"][who] if not lane.startswith("floor-") else None
            yield (lane, seconds_text(best[lane]), f"{best[lane] / best[f'floor-{name}']:.2f}", f"{best[lane] / best[name]:.2f}",
                   f"{size / MIB:.0f}" if size else "", f"{max(run['peak_rss_bytes'] for run in runs) / MIB:.0f}")


WRITING_HEADER = ("lane", "least", "x floor", "x quern", "file MiB", "RSS MiB")
HEADER = ("lane", "least", "median", "x floor", "x full", "M values/s", "RSS MiB")


def print_results(results):
    machine = results["machine"]
    print(f"\n{machine['quern']} · {machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads · {machine['date']}")
    if machine["load_at_start"] > 0.2 * machine["cores"]:
        print(f"The machine was busy when this began (load {machine['load_at_start']:.1f}): trust the ratios little and the seconds less.")
    print(" ".join(f"{name} {version}" for name, version in machine["packages"].items()))
    for name, why in results["skipped"].items():
        print(f"skipped: {name}: {why}")
    for variant, found in results["variants"].items():
        if found.get("writing"):
            print(f"\n{variant}, written\n\n" + table(list(writing_rows(found["writing"])), WRITING_HEADER))
        if "lanes" not in found:
            continue
        print(f"\n{variant}: {found['cells']:,} cells, {found['n_values']:,} values, {found['file_bytes'] / MIB:.0f} MiB; "
              f"{results['rounds']} rounds\n")
        print(table(list(lane_rows(found)), HEADER))
    growth = results.get("growth")
    if growth:
        print("\n" + ", ".join(f"{part['cells']:,} cells: peak RSS {part['peak_rss_bytes'] / MIB:.0f} MiB" for part in growth.values()))
    for cells, lanes in (results.get("writing_memory") or {}).items():
        peaks = ", ".join(f"{name} {max(run['peak_rss_bytes'] for run in runs) / MIB:.0f}" for name, runs in lanes.items())
        print(f"\n{int(cells):,} cells, peak RSS in MiB: {peaks}")
