"""Row pointers beyond 2^31 in a file that holds the last values only: what is read of it begins there."""
import h5py
import numpy as np
import pytest

from support.program import number, run


def show(binary, file, *words):
    lines = [line.split("\t") for line in run(binary, "show", file, *words, "-q").stdout.splitlines()]
    return lines[0], lines[1:]


def _write_beyond_32_bits(path, storage):
    """2.4e9 stored values, of which only those of the last chunk are in the file."""
    n_major, each, chunk = 80_000, 30_000, 1 << 16
    n = n_major * each
    with h5py.File(path, "w") as root:
        for name, size in (("obs", n_major), ("var", each)) if storage == "csr" else (("obs", each), ("var", n_major)):
            root[name] = np.array([(b"%d" % i,) for i in range(size)], dtype=[("index", "S8")])
        group = root.create_group("X")
        group.attrs["h5sparse_format"] = storage
        group.attrs["h5sparse_shape"] = [n_major, each] if storage == "csr" else [each, n_major]
        group["indptr"] = np.arange(n_major + 1, dtype="i8") * each
        start = (n - 1) // chunk * chunk
        for array, kind, values in (("data", "u1", np.arange(chunk) % 251), ("indices", "i4", np.arange(start, start + chunk) % each)):
            made = group.create_dataset(array, (n,), kind, chunks=(chunk,))
            made.id.write_direct_chunk((start,), values.astype(kind).tobytes())
    return (np.arange(n - 3, n) - start) % 251


@pytest.mark.parametrize("storage", ["csr", "csc"])
def test_offsets_beyond_32_bits(quern_bin, tmp_path, storage):
    path = tmp_path / "huge.h5ad"
    last = _write_beyond_32_bits(path, storage)
    run(quern_bin, "check", path)
    _, rows = show(quern_bin, path, "--rows=-1:", "--cols=-3:") if storage == "csr" else show(quern_bin, path, "--rows=-3:", "--cols=-1:")
    shown = rows[0][1:] if storage == "csr" else [row[1] for row in rows]
    assert [number(text) for text in shown] == last.tolist()
