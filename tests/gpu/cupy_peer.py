"""cupy_peer.py CELLS ROUNDS: row and column sums of a resident CSR matrix by CuPy, as one JSON line. Exit 77 where there is no CuPy.

Genes are uniform here, and repeat: the sums do not mind, and the matrix is made in no time.
"""
import json
import statistics
import sys

N_GENES, PER_CELL = 28000, 2352


def matrix(cupy, sparse, n_cells):
    nnz = n_cells * PER_CELL
    values = cupy.random.poisson(1.0, nnz).astype(cupy.float32) + 1
    genes = cupy.random.randint(0, N_GENES, nnz, dtype=cupy.int32)
    return sparse.csr_matrix((values, genes, cupy.arange(0, nnz + 1, PER_CELL, dtype=cupy.int32)), shape=(n_cells, N_GENES))


def main(n_cells, rounds):
    try:
        import cupy
        from cupyx.scipy import sparse
    except ImportError:
        return 77
    chunk = matrix(cupy, sparse, n_cells)
    times = []
    for _ in range(rounds + 1):
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        begin.record()
        rows, columns = chunk.sum(axis=1), chunk.sum(axis=0)
        end.record()
        end.synchronize()
        times.append(cupy.cuda.get_elapsed_time(begin, end))
    total, expected = float(rows.sum(dtype=cupy.float64)), float(chunk.data.sum(dtype=cupy.float64))
    right = abs(total - expected) < 1e-4 * expected and abs(float(columns.sum(dtype=cupy.float64)) - expected) < 1e-4 * expected
    median = statistics.median(times[1:])
    size = 8.0 * chunk.nnz + 4.0 * (n_cells + 1)
    print(json.dumps({"lane": "fused_qc_resident", "contestant": "CuPy, sums of rows and of columns, uniform genes", "median_ms": median, "ms": times[1:],
                      "bytes": size, "gb_per_s": size / median / 1e6, "version": cupy.__version__, "result_checked": right}))
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
