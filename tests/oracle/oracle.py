"""The statistics of `quern qc`, once more: slow, plain, in Python integers and fractions. Shares no code with the program.

Every sum is exact and rounded to double once; what follows (divisions, logarithms) is IEEE double arithmetic.
"""
import math
from fractions import Fraction

import numpy as np

LARGEST_COUNT = 2**31 - 1
DEFAULT_TOP = (50, 100, 200, 500)


def exact(value):
    """A Python int or Fraction; NaN and infinities stay floats."""
    if isinstance(value, (int, np.integer)):
        return int(value)
    value = float(value)
    if not math.isfinite(value):
        return value
    return int(value) if value == int(value) else Fraction(value)


def rounded(number):
    """The double nearest to an exact number."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def exact_sum(numbers):
    """Exact, unless NaN or infinities take part: then what IEEE addition gives in any order."""
    numbers = list(numbers)
    special = [x for x in numbers if isinstance(x, float) and not math.isfinite(x)]
    return math.fsum(special) if _same_infinity(special) else math.nan if special else sum(numbers)


def _same_infinity(special):
    return bool(special) and not any(math.isnan(x) for x in special) and len(set(special)) == 1


def divide(a, b):
    with np.errstate(all="ignore"):
        return float(np.float64(a) / np.float64(b))


def log1p(x):
    with np.errstate(all="ignore"):
        return float(np.log1p(np.float64(x)))


class Matrix:
    """Cells x genes by rows, duplicates summed, zeros dropped after the sum."""

    def __init__(self, shape, rows, cols, values):
        self.n_obs, self.n_vars = (int(n) for n in shape)
        self.stored = [exact(value) for value in np.asarray(values).tolist()]
        places = {}
        for row, col, value in zip(np.asarray(rows).tolist(), np.asarray(cols).tolist(), self.stored):
            places.setdefault((row, col), []).append(value)
        self.rows = [[] for _ in range(self.n_obs)]
        self.cols = [[] for _ in range(self.n_vars)]
        for (row, col), parts in sorted(places.items()):
            value = exact_sum(parts)
            if value != 0:  # NaN is not 0
                self.rows[row].append((col, value))
                self.cols[col].append((row, value))

    def is_integer(self):
        """Every stored value is a whole number of magnitude below 2^31."""
        return all(isinstance(x, int) and abs(x) <= LARGEST_COUNT for x in self.stored)

    def row_totals(self):
        return [exact_sum(value for _, value in row) for row in self.rows]

    def column_totals(self):
        return [exact_sum(value for _, value in column) for column in self.cols]


def top_sum(row, n, n_vars):
    """Sum of the n largest of a row of n_vars numbers, implicit zeros among them."""
    values = [value for _, value in row]
    if any(isinstance(x, float) and math.isnan(x) for x in values):
        return math.nan
    positive = sorted((x for x in values if x > 0), reverse=True)[:n]
    zeros = n_vars - len(values)
    left = max(0, n - len(positive) - zeros)
    negative = sorted((x for x in values if x < 0), reverse=True)[:left]
    return exact_sum(positive + negative)


def cell_table(matrix, qc_vars, percent_top):
    """Columns in order. qc_vars: {name: set of gene numbers}."""
    n_genes = [len(row) for row in matrix.rows]
    totals = matrix.row_totals()
    table = {"n_genes_by_counts": n_genes, "log1p_n_genes_by_counts": [log1p(n) for n in n_genes],
             "total_counts": totals, "log1p_total_counts": [log1p(rounded(t)) for t in totals]}
    for n in sorted(n for n in percent_top if n <= matrix.n_vars):
        sums = [top_sum(row, n, matrix.n_vars) for row in matrix.rows]
        table[f"pct_counts_in_top_{n}_genes"] = _percent(sums, totals)
    for name, genes in qc_vars.items():
        sums = [exact_sum(value for col, value in row if col in genes) for row in matrix.rows]
        table[f"total_counts_{name}"] = sums
        table[f"log1p_total_counts_{name}"] = [log1p(rounded(s)) for s in sums]
        table[f"pct_counts_{name}"] = _percent(sums, totals)
    return table


def _percent(parts, totals):
    return [divide(rounded(part), rounded(total)) * 100 for part, total in zip(parts, totals)]


def gene_table(matrix):
    n_cells = [len(column) for column in matrix.cols]
    totals = matrix.column_totals()
    means = [divide(rounded(total), matrix.n_obs) for total in totals]
    return {"n_cells_by_counts": n_cells, "mean_counts": means, "log1p_mean_counts": [log1p(m) for m in means],
            "pct_dropout_by_counts": [(1 - divide(n, matrix.n_obs)) * 100 for n in n_cells],
            "total_counts": totals, "log1p_total_counts": [log1p(rounded(t)) for t in totals]}


def mean_and_variance(values, n):
    """Over n numbers of which all but `values` are zero; variance with n - 1."""
    if any(isinstance(x, float) and not math.isfinite(x) for x in values):
        return divide(exact_sum(values), n), math.nan
    total, squares = sum(values), sum(x * x for x in values)
    mean = divide(rounded(total), n)
    return mean, rounded(Fraction(squares * n - total * total) / (n * (n - 1))) if n > 1 else math.nan


def log_columns(matrix, target=10**6):
    """Per gene: log1p(value / (total of the cell / target)) of its entries; a total of 0 divides by 1."""
    factors = [divide(rounded(total), target) for total in matrix.row_totals()]
    return [[exact(log1p(divide(rounded(value), factors[row] if factors[row] != 0 else 1.0))) for row, value in column]
            for column in matrix.cols]


def moments(matrix):
    plain = [mean_and_variance([value for _, value in column], matrix.n_obs) for column in matrix.cols]
    logs = [mean_and_variance(column, matrix.n_obs) for column in log_columns(matrix)]
    return {"mean": [m for m, _ in plain], "var": [v for _, v in plain],
            "mean_log1p_cpm": [m for m, _ in logs], "var_log1p_cpm": [v for _, v in logs]}


def median(numbers):
    """Of finite numbers; None when there are none."""
    numbers = sorted(x for x in numbers if not (isinstance(x, float) and math.isnan(x)))
    if not numbers:
        return None
    middle = len(numbers) // 2
    return rounded(numbers[middle]) if len(numbers) % 2 else rounded(Fraction(numbers[middle - 1] + numbers[middle]) / 2)


def qc(matrix, qc_vars, percent_top=DEFAULT_TOP):
    """Everything: {"cells": {column: list}, "genes": {...}, "summary": {...}}."""
    cells = cell_table(matrix, qc_vars, percent_top)
    genes = {**gene_table(matrix), **moments(matrix)}
    summary = {"n_obs": matrix.n_obs, "n_vars": matrix.n_vars, "n_nonzero": sum(cells["n_genes_by_counts"]),
               "total_counts": exact_sum(matrix.row_totals()), "integer": matrix.is_integer(),
               "qc_vars": {name: len(members) for name, members in qc_vars.items()}}
    return {"cells": cells, "genes": genes, "summary": summary}


def mitochondrial(names):
    return {number for number, name in enumerate(names) if name.startswith(("MT-", "mt-"))}
