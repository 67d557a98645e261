"""The whole program under ThreadSanitizer on files whose stored chunks straddle slots, with more threads than cores."""
import os
from pathlib import Path

import pytest

from support.program import run

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("QUERN_TSAN_BIN", ROOT / "build" / "tsan" / "quern"))
FILES = ["wide.h5ad", "wide-fractions.h5ad", "csc-gzip.h5ad", "dense-tiles-gzip.h5ad", "dense-contiguous.h5ad", "chunks-giant-shuffle.h5ad",
         "chunks-different.h5ad", "duplicates-csr-shuffled.h5ad", "last-value-no-integer.h5ad", "tenx-v3.h5", "mtx-old"]


@pytest.mark.parametrize("name", FILES)
def test_no_race(name, fixtures_dir, tmp_path):
    assert BINARY.is_file(), f"{BINARY} is not built: cmake --preset tsan && cmake --build --preset tsan"
    tables = ["--cells-out", tmp_path / "cells.tsv", "--genes-out", tmp_path / "genes.tsv", "--moments", "--json", tmp_path / "qc.json"]
    environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1:exitcode=66:die_after_fork=0"}
    for chunk in ("61", "500"):
        run(str(BINARY), "qc", fixtures_dir / name, "-t", 4, "--chunk-nnz", chunk, *tables, "--force", env=environment)
        if name.endswith(".h5ad"):
            written = ["-o", tmp_path / "out.h5ad", "--key-added", "factor", "--exclude-highly-expressed", "--force"]
            run(str(BINARY), "normalize", fixtures_dir / name, "-t", 4, "--chunk-nnz", chunk, *written, env=environment)
            kept = ["-o", tmp_path / "out.h5ad", "--min-genes", "1", "--min-cells", "1", "--min-gene-counts", "1", "--force"]
            run(str(BINARY), "filter", fixtures_dir / name, "-t", 4, "--chunk-nnz", chunk, *kept, env=environment)
