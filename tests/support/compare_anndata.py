"""Whether two AnnData hold the same, element by element, whatever their encodings."""
import numpy as np
import pandas as pd
import scipy.sparse as sp

# Fixtures and shared files without an X; and those that anndata cannot read, or hand to scipy: 16-bit floats, foreign byte order, a
# foreign top-level key.
WITHOUT_X = {"null-x", "tiledb-soma__x-none", "anndata-archives__adata_v0.11.4"}
UNREADABLE = {"fractions-f2", "value-f2", "foreign"} | {f"value-big-{kind}" for kind in ("f4", "f8", "i4", "u2")}


def plain_index(frame):
    """Text that misses nothing is written as plain text, which every reader knows."""
    frame.index = pd.Index(frame.index.astype(object), name=frame.index.name)
    for name in frame:
        if isinstance(frame[name].dtype, pd.StringDtype) and not frame[name].isna().any():
            frame[name] = frame[name].astype(object)
    return frame


def _plain(value):
    """Arrays of text as lists, sparse matrices as canonical CSR."""
    if sp.issparse(value):
        value = sp.csr_matrix(value, copy=True)
        value.sum_duplicates()
    return value


def same(a, b, where):
    """The first difference between two elements, or None."""
    if isinstance(a, pd.DataFrame):
        try:
            pd.testing.assert_frame_equal(a, b, check_exact=True)
        except AssertionError as error:
            return f"{where}: {error}"
        return None
    if hasattr(a, "items") and not isinstance(a, pd.Series):
        if not hasattr(b, "keys") or set(a.keys()) != set(b.keys()):
            return f"{where}: keys {sorted(a.keys())} and {sorted(b.keys()) if hasattr(b, 'keys') else type(b)}"
        return next((found for key in a if (found := same(a[key], b[key], f"{where}/{key}"))), None)
    if sp.issparse(a) or sp.issparse(b):
        if not sp.issparse(a) or not sp.issparse(b) or a.shape != b.shape or a.dtype != b.dtype:
            return f"{where}: {type(a)} {getattr(a, 'dtype', '')} and {type(b)} {getattr(b, 'dtype', '')}"
        a, b = _plain(a), _plain(b)
        same_places = np.array_equal(a.indptr, b.indptr) and np.array_equal(a.indices, b.indices)
        return None if same_places and np.array_equal(a.data, b.data, equal_nan=a.dtype.kind == "f") else f"{where}: other entries"
    if isinstance(a, (pd.Categorical, pd.api.extensions.ExtensionArray)):
        return None if type(a) is type(b) and pd.Series(a).equals(pd.Series(b)) else f"{where}: {a} and {b}"
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype.kind.replace("U", "O") != b.dtype.kind.replace("U", "O"):
        return f"{where}: {a.dtype} {a.shape} and {b.dtype} {b.shape}"
    if a.dtype.kind not in "OUSV" and a.dtype != b.dtype:
        return f"{where}: {a.dtype} and {b.dtype}"
    if a.dtype.names:
        return next((found for name in a.dtype.names if (found := same(a[name], b[name], f"{where}/{name}"))), None)
    equal = a.tolist() == b.tolist() or (a.dtype.kind in "fc" and np.array_equal(a, b, equal_nan=True))
    return None if equal else f"{where}: {a} and {b}"


PARTS = ("X", "obs", "var", "uns", "obsm", "varm", "obsp", "varp", "layers")


def difference(a, b, without=()):
    """The first difference of two AnnData but for the parts named in `without` ("uns/quern" names a key), or None."""
    if a.shape != b.shape:
        return f"shapes {a.shape} and {b.shape}"
    for part in PARTS:
        if part in without:
            continue
        left, right = getattr(a, part), getattr(b, part)
        if part == "X" and (left is None or right is None):
            if left is not right:
                return "one X is missing"
            continue
        if hasattr(left, "keys") and not isinstance(left, pd.DataFrame):
            hidden = {name.split("/", 1)[1] for name in without if name.startswith(part + "/")}
            left, right = ({key: value for key, value in side.items() if key not in hidden} for side in (left, right))
        if found := same(left, right, part):
            return found
    if "raw" in without or (a.raw is None and b.raw is None):
        return None
    if a.raw is None or b.raw is None:
        return "one raw is missing"
    raw = [("X", a.raw.X, b.raw.X), ("var", a.raw.var, b.raw.var), ("varm", dict(a.raw.varm), dict(b.raw.varm))]
    return next((found for name, left, right in raw if (found := same(left, right, f"raw/{name}"))), None)
