#!/usr/bin/env python3
"""Whether two h5ad hold the same X but for rounding. Prints one line a disagreement; exit 1 if there is any.

  verify_written.py OURS THEIRS
"""
import sys

import h5py
import numpy as np

MOST_ULPS = 3  # scanpy rounds four times on the way
PIECE = 1 << 24


def ulps(a, b):
    return int(np.abs(a.view("i4").astype("i8") - b.view("i4")).max(initial=0))


def disagreements(ours, theirs):
    for name in ("X/indptr", "X/indices"):
        if not np.array_equal(ours[name][:], theirs[name][:]):
            yield f"{name} differs"
    if ours["X/data"].shape != theirs["X/data"].shape or ours["X/data"].dtype != theirs["X/data"].dtype:
        yield "X/data has another length or type"
        return
    for at in range(0, len(ours["X/data"]), PIECE):
        if ulps(ours["X/data"][at:at + PIECE], theirs["X/data"][at:at + PIECE]) > MOST_ULPS:
            yield f"X/data differs by more than {MOST_ULPS} ulp from entry {at} on"


def main():
    with h5py.File(sys.argv[1]) as ours, h5py.File(sys.argv[2]) as theirs:
        messages = list(disagreements(ours, theirs))
    print("\n".join(messages))
    sys.exit(1 if messages else 0)


if __name__ == "__main__":
    main()
