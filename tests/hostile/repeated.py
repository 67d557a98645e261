"""Files with very many or very long strings that are small on disk: all elements of a list refer to the same string."""
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))

import h5ad  # noqa: E402

TEXT = h5py.string_dtype()
REFERENCE_BYTES = 16  # of a variable-length string in a dataset


def _refer(path, count, of):
    """Makes the contiguous dataset `of` of a closed file hold its first element `count` times."""
    with h5py.File(path, "r") as root:
        offset = root[of].id.get_offset()
    with open(path, "r+b") as file:
        file.seek(offset)
        reference = file.read(REFERENCE_BYTES)
        file.seek(offset)
        file.write(reference * count)


def _list(root, place, count, text):
    made = root.create_dataset(place, shape=(count,), dtype=TEXT)
    made[0] = text
    h5ad.tag(made, "string-array", "0.2.0")


def repeated(folder, n_obs, n_vars, obs="cell", var="gene", labels=0, label="label"):
    """An h5ad whose cells are all called `obs` and whose genes `var`. Each cell has one count, of another gene. With `labels` obs has a
    column of so many categories."""
    path = folder / "repeated.h5ad"
    with h5py.File(path, "w") as root:
        h5ad.tag(root, "anndata", "0.1.0")
        for name, count, text in (("obs", n_obs, obs), ("var", n_vars, var)):
            group = root.create_group(name)
            h5ad.tag(group, "dataframe", "0.2.0")
            group.attrs["_index"] = "_index"
            group.attrs["column-order"] = np.array(["label"], dtype=object) if labels and name == "obs" else np.zeros(0)
            _list(root, f"{name}/_index", count, text)
        h5ad.empty_dicts(root)
        x = root.create_group("X")
        h5ad.tag(x, "csr_matrix", "0.1.0")
        x.attrs["shape"] = np.array([n_obs, n_vars])
        x["data"] = np.ones(n_obs, dtype="f4")
        x["indices"] = np.arange(n_obs, dtype="i4") % n_vars
        x["indptr"] = np.arange(n_obs + 1, dtype="i8")
        if labels:
            column = root.create_group("obs/label")
            h5ad.tag(column, "categorical", "0.2.0")
            column.attrs["ordered"] = False
            column["codes"] = np.arange(n_obs, dtype="i4") % labels
            h5ad.tag(column["codes"], "array", "0.2.0")
            _list(root, "obs/label/categories", labels, label)
    for place, count in (("obs/_index", n_obs), ("var/_index", n_vars), ("obs/label/categories", labels)):
        if count:
            _refer(path, count, place)
    return path
