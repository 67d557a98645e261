#!/usr/bin/env python3
"""Whether what was measured is right. Prints one line a disagreement; exit 1 if there is any.

  verify.py FILE SPEC     SPEC: JSON {"quern": {NAME: [CELLS, GENES]}, "peers": {NAME: [CELLS, GENES]}, "reports": {NAME: quern's result}}

Every table is compared, column by column, with plain sums of the file's own arrays: whole numbers must be equal, other numbers agree to
1e-6 (what float32 tables can hold). Then quern's tables are compared with those of each peer in all columns that both have.
"""
import json
import sys

import h5py
import numpy as np
import pandas as pd

RELATIVE = 1e-6
# scanpy adds up float32 columns in float32, which cannot count past this.
FLOAT32_WHOLE = 2**24
TOPS = (50, 100, 200, 500)
BLOCK_ROWS = 5000


def names_of(file, frame):
    element = file[frame]
    raw = element[element.dtype.names[0]] if isinstance(element, h5py.Dataset) else element[element.attrs["_index"]][:]
    return [name.decode() if isinstance(name, bytes) else name for name in raw]


def row_blocks(file):
    """(first row, row starts within the block, values, columns), a block of rows at a time."""
    indptr = file["X/indptr"][:].astype("i8")
    for first in range(0, len(indptr) - 1, BLOCK_ROWS):
        starts = indptr[first:first + BLOCK_ROWS + 1]
        part = slice(starts[0], starts[-1])
        yield first, starts - starts[0], file["X/data"][part].astype("i8"), file["X/indices"][part]


def row_sums(values, starts):
    return np.diff(np.concatenate([[0], np.cumsum(values)])[starts])


def top_sums(values, starts):
    """For each row the sums of its largest 50, 100, ... values."""
    rows = (np.cumsum(-np.sort(-values[a:b])) for a, b in zip(starts[:-1], starts[1:]))
    return np.array([[row[min(n, len(row)) - 1] if len(row) else 0 for n in TOPS] for row in rows])


def truth(path):
    """(cells, genes): the true columns as data frames, from integers."""
    with h5py.File(path) as file:
        cells, genes = names_of(file, "obs"), names_of(file, "var")
        mt = np.array([name.startswith("MT-") for name in genes])
        per_cell, top = np.zeros((3, len(cells)), "i8"), np.zeros((len(cells), len(TOPS)), "i8")
        per_gene = np.zeros((2, len(genes)), "i8")
        for first, starts, values, columns in row_blocks(file):
            rows = slice(first, first + len(starts) - 1)
            per_cell[:, rows] = row_sums(values != 0, starts), row_sums(values, starts), row_sums(values * mt[columns], starts)
            top[rows] = top_sums(values, starts)
            per_gene[0] += np.bincount(columns, weights=values != 0, minlength=len(genes)).astype("i8")
            per_gene[1] += np.bincount(columns, weights=values, minlength=len(genes)).astype("i8")
    return cell_frame(cells, per_cell, top), gene_frame(genes, per_gene, len(cells))


def cell_frame(names, per_cell, top):
    n_genes, total, total_mt = per_cell
    with np.errstate(invalid="ignore"):
        columns = {f"pct_counts_in_top_{n}_genes": 100.0 * top[:, i] / total for i, n in enumerate(TOPS)}
        columns["pct_counts_mt"] = 100.0 * total_mt / total
    whole = {"n_genes_by_counts": n_genes, "total_counts": total, "total_counts_mt": total_mt}
    return pd.DataFrame({**whole, **{f"log1p_{name}": np.log1p(column) for name, column in whole.items()}, **columns}, index=names)


def gene_frame(names, per_gene, n_cells):
    found, total = per_gene
    mean = total / n_cells
    return pd.DataFrame({"n_cells_by_counts": found, "total_counts": total, "mean_counts": mean, "log1p_mean_counts": np.log1p(mean),
                         "log1p_total_counts": np.log1p(total), "pct_dropout_by_counts": 100.0 * (1.0 - found / n_cells)}, index=names)


def differs(column, ours, theirs):
    """How many values of a column disagree."""
    ours, theirs = ours.to_numpy(dtype="f8"), theirs.to_numpy(dtype="f8")
    if column.startswith(("n_", "total_")):
        return int((ours != theirs).sum())
    return int((~np.isclose(ours, theirs, rtol=RELATIVE, atol=1e-9, equal_nan=True)).sum())


def compare(title, left, right, need=()):
    """Messages about the columns that both have; `need`: columns that `left` must have. Rows are compared in order."""
    messages = [f"{title}: column {name} is missing" for name in need if name not in left]
    if len(left) != len(right):
        return [*messages, f"{title}: {len(left)} rows, expected {len(right)}"]
    common = [name for name in left.columns if name in right.columns]
    if not common:
        return [*messages, f"{title}: no column to compare"]
    for name in common:
        n = differs(name, left[name], right[name])
        if n:
            messages.append(f"{title}: {name}: {n} of {len(left)} values disagree")
    return messages


def read_tables(paths):
    return [pd.read_csv(path, sep="\t", index_col=0, keep_default_na=False, na_values=["", "nan"]) for path in paths]


def check_quern(name, tables, expected):
    full = "full" in name
    messages = []
    for kind, table, true in zip(("cells", "genes"), tables, expected):
        need = [column for column in true.columns if full or "in_top" not in column]
        messages += compare(f"{name} {kind}", table, true, need)
        if list(table.index) != list(true.index):
            messages.append(f"{name} {kind}: other names or another order than in the file")
    return messages


def check_peer(name, tables, quern, expected):
    messages = []
    for kind, table, ours, true in zip(("cells", "genes"), tables, quern, expected):
        beyond = true["total_counts"].to_numpy() >= FLOAT32_WHOLE
        if kind == "genes" and beyond.any():
            table, ours, true = table[~beyond], ours[~beyond], true[~beyond]
        messages += compare(f"{name} {kind} against the file", table, true)
        messages += compare(f"quern {kind} against {name}", ours, table)
    return messages


def check_report(name, result, expected):
    cells = expected[0]
    true = {"n_obs": len(cells), "n_vars": len(expected[1]), "n_nonzero": int(cells["n_genes_by_counts"].sum()),
            "total_counts": int(cells["total_counts"].sum()), "median_genes_per_cell": float(cells["n_genes_by_counts"].median()),
            "median_counts_per_cell": float(cells["total_counts"].median())}
    return [f"{name}: {key} is {result.get(key)}, expected {value}" for key, value in true.items() if result.get(key) != value]


def main():
    path, spec = sys.argv[1], json.loads(sys.argv[2])
    expected = truth(path)
    quern = {name: read_tables(paths) for name, paths in spec["quern"].items()}
    messages = []
    for name, tables in quern.items():
        messages += check_quern(name, tables, expected)
    for name, paths in spec["peers"].items():
        ours = quern["quern-bare-tables" if name.endswith("bare") else "quern-full"]
        messages += check_peer(name, read_tables(paths), ours, expected)
    for name, result in spec["reports"].items():
        messages += check_report(name, result, expected)
    print("\n".join(messages))
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
