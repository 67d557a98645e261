"""Sparse and dense matrices whose arrays, shapes or types are wrong."""
import numpy as np

from hostile.bases import NNZ, N_OBS, N_VARS, as_type, attribute, cut, delete, encoding, h5, put, replace
from hostile.table import Case

INDPTR, INDICES, DATA = "X/indptr", "X/indices", "X/data"


def shape(*numbers, dtype=np.int64):
    return attribute("X", "shape", np.array(numbers, dtype=dtype))


def _many_types(root):
    replace(DATA, root[DATA][...].astype([("a", "f4"), ("b", "f4")]))(root)


CASES = [
    # ---- indptr
    Case("indptr-decreases", h5("modern", put(INDPTR, 6, 1)), "bad-indptr", "decreases at row 5", "/X/indptr"),
    Case("indptr-negative", h5("modern", put(INDPTR, 3, -5)), "bad-indptr", "decreases at row 2", "/X/indptr"),
    Case("indptr-starts-late", h5("modern", put(INDPTR, 0, 1)), "bad-indptr", "starts at 1, expected 0", "/X/indptr"),
    Case("indptr-starts-negative", h5("modern", put(INDPTR, 0, -1)), "bad-indptr", "starts at -1", "/X/indptr"),
    Case("indptr-past-the-end", h5("modern", put(INDPTR, N_OBS, NNZ + 1)), "bad-indptr", f"{NNZ} entries are stored", "/X/indptr"),
    Case("indptr-ends-early", h5("modern", put(INDPTR, N_OBS, NNZ - 1)), "bad-indptr", f"{NNZ} entries are stored", "/X/indptr"),
    Case("indptr-short", h5("modern", cut(INDPTR, -1)), "bad-shape", f"holds {N_OBS} entries, expected {N_OBS + 1}", "/X/indptr"),
    Case("indptr-long", h5("modern", cut(INDPTR, N_OBS + 9)), "bad-shape", f"holds {N_OBS + 9} entries", "/X/indptr"),
    Case("indptr-empty", h5("modern", cut(INDPTR, 0)), "bad-shape", "holds 0 entries", "/X/indptr"),
    Case("indptr-of-reals", h5("modern", as_type(INDPTR, "f8")), "bad-type", "expected integers", "/X/indptr"),
    Case("indptr-beyond-63-bits", h5("modern", as_type(INDPTR, "u8"), put(INDPTR, N_OBS, 2**64 - 1)), "bad-indptr", "", "/X/indptr"),
    Case("indptr-2-d", h5("modern", replace(INDPTR, np.zeros((N_OBS + 1, 1), "i4"))), "bad-shape", "one dimension", "/X/indptr"),
    Case("indptr-of-csc-decreases", h5("csc", put(INDPTR, 6, 1)), "bad-indptr", "decreases", "/X/indptr"),
    Case("indptr-of-csc-by-row", h5("csc", cut(INDPTR, N_OBS + 1)), "bad-shape", f"expected {N_VARS + 1}", "/X/indptr"),
    # ---- indices
    Case("index-too-large", h5("modern", put(INDICES, 33, N_VARS)), "bad-index", f"entry 33 is negative or not below", "/X/indices"),
    Case("index-negative", h5("modern", put(INDICES, 0, -1)), "bad-index", "entry 0 ", "/X/indices"),
    Case("index-last-too-large", h5("modern", put(INDICES, NNZ - 1, 2**31 - 1)), "bad-index", f"entry {NNZ - 1} ", "/X/indices"),
    Case("index-beyond-32-bits", h5("modern", as_type(INDICES, "i8"), put(INDICES, 7, 2**32 + 3)), "bad-index", "entry 7 ", "/X/indices"),
    Case("index-below-32-bits", h5("modern", as_type(INDICES, "i8"), put(INDICES, 7, 3 - 2**32)), "bad-index", "entry 7 ", "/X/indices"),
    Case("index-beyond-63-bits", h5("modern", as_type(INDICES, "u8"), put(INDICES, 7, 2**64 - 1)), "bad-index", "entry 7 ", "/X/indices"),
    Case("index-8-bit-negative", h5("modern", as_type(INDICES, "i1"), put(INDICES, 7, -3)), "bad-index", "entry 7 ", "/X/indices"),
    Case("index-contiguous-too-large", h5("contiguous", put(INDICES, 9, N_VARS)), "bad-index", "entry 9 ", "/X/indices"),
    Case("index-of-csc-too-large", h5("csc", put(INDICES, 9, N_OBS)), "bad-index", "", "/X/indices"),
    Case("index-of-reals", h5("modern", as_type(INDICES, "f4")), "bad-type", "expected integers", "/X/indices"),
    Case("indices-short", h5("modern", cut(INDICES, -1)), "bad-shape", f"holds {NNZ - 1} entries, data {NNZ}", "/X/indices"),
    Case("data-short", h5("modern", cut(DATA, -1)), "bad-shape", f"holds {NNZ} entries, data {NNZ - 1}", "/X/indices"),
    Case("10x-index-too-large", h5("10x-v3", put("matrix/indices", 5, N_VARS)), "bad-index", "entry 5 ", "/matrix/indices"),
    # ---- values
    Case("data-of-texts", h5("modern", replace(DATA, np.full(NNZ, b"one"))), "bad-type", "expected numbers", "/X/data"),
    Case("data-compound", h5("modern", _many_types), "bad-type", "", "/X/data"),
    Case("data-complex", h5("modern", as_type(DATA, "c8")), "bad-type", "", "/X/data"),
    Case("data-128-bit", h5("modern", as_type(DATA, np.longdouble)), "bad-type", "at most 64 bits", "/X/data"),
    Case("data-2-d", h5("modern", replace(DATA, np.ones((NNZ, 1), "f4"))), "bad-shape", "one dimension", "/X/data"),
    Case("values-nan", h5("modern", put(DATA, 4, np.nan)), "ok has-nan", check="ok has-nan", show="ok"),
    Case("values-infinite", h5("modern", put(DATA, 4, -np.inf)), "ok has-infinity", check="ok has-infinity", show="ok"),
    Case("values-negative", h5("modern", put(DATA, 4, -3)), "ok has-negative", check="ok has-negative", show="ok"),
    *[
        Case(f"values-of-{storage}-{name}", h5(storage, as_type(dataset, dtype), put(dataset, place, value)), "value-too-large", "beyond 2^53", f"/{dataset}", show="ok")
        for storage, dataset, place in (("modern", DATA, 4), ("csc", DATA, 4), ("contiguous", DATA, 4), ("dense", "X", (3, 4)))
        for name, dtype, value in (("beyond-2^53", "i8", 2**53 + 1), ("below-minus-2^53", "i8", -(2**53) - 1), ("least", "i8", -(2**63)), ("largest", "u8", 2**64 - 1))
    ],
    # ---- shape
    Case("shape-2^60-rows", h5("modern", shape(2**60, N_VARS)), "bad-shape", f"{2**60} x {N_VARS}", "/X"),
    Case("shape-2^60-columns", h5("modern", shape(N_OBS, 2**60)), "bad-shape", f"{N_OBS} x {2**60}", "/X"),
    Case("shape-2^40-rows", h5("modern", shape(2**40, N_VARS)), "bad-shape", f"expected {2**40 + 1}", "/X/indptr"),
    Case("shape-2^31-columns", h5("modern", shape(N_OBS, 2**31)), "bad-shape", f"{N_OBS} x {2**31}", "/X"),
    Case("shape-overflows", h5("modern", shape(2**63, 2**63, dtype=np.uint64)), "bad-shape", "", "/X"),
    Case("shape-negative", h5("modern", shape(-N_OBS, N_VARS)), "bad-shape", f"-{N_OBS} x {N_VARS}", "/X"),
    Case("shape-missing", h5("modern", attribute("X", "shape", None)), "bad-shape", "two numbers, found 0", "/X"),
    Case("shape-of-one", h5("modern", shape(N_OBS)), "bad-shape", "two numbers, found 1", "/X"),
    Case("shape-of-three", h5("modern", shape(N_OBS, N_VARS, 1)), "bad-shape", "two numbers, found 3", "/X"),
    Case("shape-of-reals", h5("modern", shape(N_OBS, N_VARS, dtype="f8")), "bad-type", "expected integers", "/X (attribute shape)"),
    Case("shape-a-text", h5("modern", attribute("X", "shape", "37 x 64")), "bad-type", "expected integers", "/X (attribute shape)"),
    Case("shape-fewer-columns", h5("modern", shape(N_OBS, 32)), "bad-shape", "37 x 32, but the names are 37 x 64", "/X"),
    Case("shape-transposed", h5("modern", shape(N_VARS, N_OBS)), "bad-shape", f"expected {N_VARS + 1}", "/X/indptr"),
    Case("10x-shape-2^60", h5("10x-v3", replace("matrix/shape", np.array([2**60, N_OBS]))), "bad-shape", f"{2**60}", "/matrix",
         info="bad-shape"),
    Case("10x-shape-of-one", h5("10x-v3", replace("matrix/shape", np.array([N_VARS]))), "bad-shape", "two numbers", "/matrix/shape",
         info="bad-shape"),
    Case("10x-shape-2-d", h5("10x-v3", replace("matrix/shape", np.array([[N_VARS, N_OBS]]))), "bad-shape", "few numbers", "/matrix/shape",
         info="bad-shape"),
    Case("10x-shape-of-a-million", h5("10x-v3", replace("matrix/shape", np.zeros(10**6, "i8"))), "bad-shape", "few numbers", "/matrix/shape",
         info="bad-shape"),
    Case("10x-shape-of-reals", h5("10x-v2", as_type("hg19/shape", "f8")), "bad-type", "expected integers", "/hg19/shape", info="bad-type"),
    # ---- X itself
    Case("no-X", h5("modern", delete("X")), "no-such-matrix", "the file holds no matrix", "X", check="ok"),
    Case("no-data", h5("modern", delete(DATA)), "missing-object", "expected a dataset", "/X/data"),
    Case("no-indices", h5("modern", delete(INDICES)), "missing-object", "expected a dataset", "/X/indices"),
    Case("no-indptr", h5("modern", delete(INDPTR)), "missing-object", "expected a dataset", "/X/indptr"),
    Case("data-a-group", h5("modern", delete(DATA), lambda root: root.create_group(DATA)), "bad-type", "found a group", "/X/data"),
    Case("X-1-d", h5("dense", replace("X", np.zeros(5, "f4"))), "bad-shape", "two dimensions, found 1", "/X"),
    Case("X-3-d", h5("dense", replace("X", np.zeros((2, 2, 2), "f4"))), "bad-shape", "two dimensions, found 3", "/X"),
    Case("X-too-few-rows", h5("dense", replace("X", np.zeros((N_OBS - 1, N_VARS), "f4"))), "bad-shape", "36 x 64, but the names", "/X"),
    Case("X-128-bit", h5("dense", as_type("X", np.longdouble)), "bad-type", "at most 64 bits", "/X"),
    Case("X-of-texts", h5("dense", replace("X", np.full((N_OBS, N_VARS), b"one"))), "bad-type", "expected numbers", "/X"),
    Case("X-unknown-encoding", h5("modern", encoding("X", "coo_matrix", "0.1.0")), "unknown-encoding", "'coo_matrix 0.1.0'", "/X"),
    Case("X-newer-encoding", h5("modern", encoding("X", "csr_matrix", "0.9.0")), "unknown-encoding", "'csr_matrix 0.9.0'", "/X"),
    Case("X-dense-unknown-encoding", h5("dense", encoding("X", "ragged", "1.0")), "unknown-encoding", "'ragged 1.0'", "/X"),
    Case("X-a-plain-group", h5("modern", attribute("X", "encoding-type", None)), "unknown-encoding", "neither encoding-type", "/X"),
    Case("layer-missing", h5("modern"), "no-such-matrix", "not in the file, which has X", "layers/spliced",
         arguments=("--layer", "layers/spliced"), check="ok"),
]
