"""The CSR matrices of files we wrote, with a look at their form."""
import h5py
import numpy as np
import scipy.sparse as sp


def written_csr(path, name="X"):
    """The matrix at `name`: tagged, 32-bit indices, rows in order, no column twice."""
    with h5py.File(path) as file:
        group = file[name]
        assert group.attrs["encoding-type"] == "csr_matrix"
        arrays = [group[part][()] for part in ("data", "indices", "indptr")]
        shape = tuple(group.attrs["shape"])
    assert arrays[1].dtype == arrays[2].dtype == np.int32
    matrix = sp.csr_matrix(tuple(arrays), shape=shape)
    rows = np.repeat(np.arange(shape[0]), np.diff(arrays[2]))
    places = rows.astype(np.int64) * shape[1] + arrays[1]
    assert (np.diff(places) > 0).all(), "rows in order, no column twice"
    return matrix
