"""What anndata reads of files, as plain text that two versions of it can be compared by: `python plain_h5ad.py FILE...` prints JSON."""
import hashlib
import json
import sys
import warnings

import anndata as ad
import hdf5plugin  # noqa: F401  zstd and blosc for h5py
import numpy as np
import pandas as pd
import scipy.sparse as sp


def _digest(content):
    return hashlib.blake2b(content, digest_size=8).hexdigest()


def _array(values):
    values = np.asarray(values)
    if values.dtype.kind in "OUS":
        kind, content = "text", json.dumps([None if pd.isna(value) else str(value) for value in values.ravel().tolist()]).encode()
    else:
        kind, content = str(values.dtype), np.ascontiguousarray(values).tobytes()
    return f"{kind} {list(values.shape)} {_digest(content)}"


def _put(value, path, out):
    """Adds a line for each array or value at and below `path`."""
    if isinstance(value, pd.DataFrame):
        out[path] = f"table of {list(value.columns)}, index {value.index.name}"
        _put(value.index.to_numpy(), f"{path}/(index)", out)
        for name in value:
            _put(value[name].to_numpy() if isinstance(value[name].dtype, np.dtype) else value[name].array, f"{path}/{name}", out)
    elif isinstance(value, pd.Categorical):
        out[path] = f"categorical, ordered {value.ordered}"
        _put(value.codes, f"{path}/codes", out)
        _put(value.categories.to_numpy(), f"{path}/categories", out)
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        missing = np.asarray(value.isna())
        out[path] = f"{value.dtype}, missing {_array(missing)}, {_array(np.array([str(item) for item in value[~missing]], dtype=object))}"
    elif sp.issparse(value):
        out[path] = f"{value.format} {list(value.shape)}"
        for part in ("data", "indices", "indptr"):
            _put(getattr(value, part), f"{path}/{part}", out)
    elif hasattr(value, "items") and not isinstance(value, pd.Series):
        out[path] = f"keys {sorted(value.keys())}"
        for key in value.keys():
            _put(value[key], f"{path}/{key}", out)
    elif getattr(getattr(value, "dtype", None), "names", None):
        out[path] = f"fields {value.dtype.names}"
        for name in value.dtype.names:
            _put(value[name], f"{path}/{name}", out)
    elif isinstance(value, str):
        out[path] = f"string {value!r}"
    else:
        out[path] = _array(value)


def plain(adata):
    """{path: what is there} of everything that an AnnData holds."""
    out = {}
    for part in ("X", "obs", "var", "uns", "obsm", "varm", "obsp", "varp", "layers"):
        value = getattr(adata, part)
        if value is not None:
            _put(value, part, out)
    if adata.raw is not None:
        for part in ("X", "var", "varm"):
            _put(getattr(adata.raw, part), f"raw/{part}", out)
    return out


def read_all(paths):
    """{file: plain(...), or the error as a text}."""
    found = {}
    for path in map(str, paths):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found[path] = plain(ad.read_h5ad(path))
        except Exception as error:  # pylint: disable=broad-exception-caught  whatever it is, it is what this version says of the file
            found[path] = f"{type(error).__name__}: {error}"
    return found


if __name__ == "__main__":
    json.dump({"anndata": ad.__version__, "files": read_all(sys.argv[1:])}, sys.stdout)
