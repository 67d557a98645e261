"""Sound HDF5 files that are odd as an h5ad: copies of a good one whose attributes, types, shapes, links and texts were changed at random."""
import random
import shutil

import h5py
import numpy as np

TEXT = h5py.string_dtype()
TYPES = ["i1", "u1", "<i4", ">i4", "<i8", "u8", "f2", "<f4", ">f8", "c16", "?", "S3", "O", [("a", "i4"), ("b", "f4")], "V5",
         h5py.enum_dtype({"A": 0, "B": 1}, "i1"), h5py.vlen_dtype("i4"), h5py.ref_dtype, h5py.string_dtype("ascii"), h5py.string_dtype(length=7)]
ENCODINGS = ["array", "string-array", "csr_matrix", "csc_matrix", "dataframe", "categorical", "nullable-integer", "nullable-boolean",
             "nullable-string-array", "dict", "raw", "anndata", "string", "numeric-scalar", "rec-array", "null", "awkward-array", "of-tomorrow", ""]
VERSIONS = ["0.1.0", "0.2.0", "9.9.9", ""]
ODD_VALUES = [np.array([-1, 3]), np.array([2**62, 2**62]), np.array([3.5, 2.0]), np.array([[1, 2], [3, 4]]), 7, "text", b"\xff\xfe", h5py.Empty("f4"),
              np.array(["a", "a", "", "nobody"], dtype=object), np.arange(3000), np.zeros((0, 2)), True, np.float16(1), "x" * 60000]
ODD_TEXTS = ["", "a\0b", "ä" * 5000, "\u202e", "a\nb\tc", "x" * 200000, "/", ".", "..", "_index"]
KEYS = ["encoding-type", "encoding-version", "shape", "_index", "column-order", "categories", "ordered", "na-value", "h5sparse_format",
        "h5sparse_shape", "unheard-of"]


class Mutator:
    """Changes an open file; `random` decides what and where."""

    def __init__(self, root, seed):
        self.root, self.random = root, random.Random(seed)

    def places(self, kind=None):
        found = []
        self.root.visititems(lambda name, item: found.append(name) if kind is None or isinstance(item, kind) else None)
        return found

    def pick(self, kind=None):
        places = self.places(kind)
        return self.random.choice(places) if places else None

    def mutate(self):
        steps = [self.delete, self.move, self.set_attribute, self.set_attribute, self.set_attribute, self.set_encoding, self.drop_attribute, self.retype, self.retype,
                 self.reshape, self.reshape, self.revalue, self.revalue, self.link, self.cycle, self.swap_kind, self.texts, self.references]
        for _ in range(self.random.choice([1, 1, 2, 3])):
            try:
                self.random.choice(steps)()
            except (IndexError, KeyError, TypeError, ValueError, OSError, RuntimeError):
                pass  # h5py has no way to write that

    def delete(self):
        del self.root[self.pick()]

    def move(self):
        self.root.move(self.pick(), self.random.choice([f"{self.pick(h5py.Group)}/moved", "obs/moved", "uns/moved", "moved", "X"]))

    def set_attribute(self):
        self.root[self.pick()].attrs[self.random.choice(KEYS)] = self.random.choice(ODD_VALUES + ODD_TEXTS)

    def set_encoding(self):
        self.root[self.pick()].attrs.update({"encoding-type": self.random.choice(ENCODINGS), "encoding-version": self.random.choice(VERSIONS)})

    def drop_attribute(self):
        item = self.root[self.pick()]
        del item.attrs[self.random.choice(sorted(item.attrs))]

    def replace(self, name, make):
        """What `make` makes in place of a dataset, with its attributes."""
        attributes = dict(self.root[name].attrs)
        del self.root[name]
        made = make(name)
        for key, value in attributes.items():
            made.attrs[key] = value

    def retype(self):
        name, dtype = self.pick(h5py.Dataset), np.dtype(self.random.choice(TYPES))
        old = self.root[name]
        shape, values = old.shape or (), old[()] if old.shape is not None else None
        data = None
        if dtype.kind in "iufb" and getattr(values, "dtype", np.dtype("O")).kind in "iufb":
            data = np.asarray(values).astype(dtype)
        self.replace(name, lambda where: self.root.create_dataset(where, shape=shape, dtype=dtype, data=data))

    def reshape(self):
        name = self.pick(h5py.Dataset)
        values = self.root[name][()]
        flat = np.ravel(values)
        longer = np.concatenate([flat, flat])
        shapes = [lambda: flat[:-1], lambda: longer, lambda: flat[:0], lambda: flat[:1], lambda: flat.reshape(1, -1), lambda: flat.reshape(-1, 1, 1),
                  lambda: flat[0], lambda: h5py.Empty(flat.dtype)]
        data, dtype = self.random.choice(shapes)(), self.root[name].dtype
        chunks = self.random.choice([{}, {"compression": "gzip"}, {"compression": "lzf", "shuffle": True}, {"fletcher32": True}])
        chunks = chunks if getattr(data, "ndim", 0) and data.size else {}
        self.replace(name, lambda where: self.root.create_dataset(where, data=data, dtype=None if isinstance(data, h5py.Empty) else dtype, **chunks))

    def revalue(self):
        data = self.root[self.pick(h5py.Dataset)]
        if data.dtype.kind in "iuf" and data.size:
            at = tuple(self.random.randrange(n) for n in data.shape)
            limits = [0, 1, -1, 127, 2**31 - 1, 2**31, 2**53] + ([float("nan"), float("inf")] if data.dtype.kind == "f" else [])
            data[at] = np.array(self.random.choice(limits)).astype(data.dtype)

    def link(self):
        name = self.pick()
        targets = ["/nowhere", "/", "/obs", "/X", f"/{self.pick()}", f"/{name}"]
        made = self.random.choice([h5py.SoftLink(self.random.choice(targets)), h5py.ExternalLink("other.h5", "/X")])
        if self.random.random() < 0.5:
            del self.root[name]
            self.root[name] = made
        else:
            self.root[f"{self.pick(h5py.Group)}/odd"] = made

    def cycle(self):
        """A group within itself."""
        name = self.pick(h5py.Group)
        self.root[f"{name}/{self.random.choice(['loop', 'data', 'codes'])}"] = self.root[self.random.choice([name, name.split("/")[0]])]

    def swap_kind(self):
        name = self.pick()
        is_group = isinstance(self.root[name], h5py.Group)
        del self.root[name]
        if is_group:
            self.root[name] = self.random.choice([np.arange(5), np.float32(1), np.array(["a", "b"], dtype=object)])
        else:
            self.root.create_group(name)

    def texts(self):
        texts = [name for name in self.places(h5py.Dataset) if self.root[name].dtype.kind in "OS" and self.root[name].size]
        name = self.random.choice(texts)
        how, old = self.random.randrange(3), self.root[name]
        values = np.ravel(old[()]).astype(object)
        values[self.random.randrange(len(values))] = self.random.choice([text.encode() for text in ODD_TEXTS if "\0" not in text] + [b"\xff\xfe\xc3"])
        if how == 0:
            self.replace(name, lambda where: self.root.create_dataset(where, data=values.astype("S"), shape=old.shape))
        elif how == 1:
            self.replace(name, lambda where: self.root.create_dataset(where, data=values, dtype=TEXT, shape=old.shape))
        else:  # as nobody wrote them: null pointers
            self.replace(name, lambda where: self.root.create_dataset(where, shape=old.shape, dtype=TEXT))

    def references(self):
        name = self.pick()
        target = self.root[self.pick()]
        made = [target.ref, h5py.Reference()]
        if isinstance(target, h5py.Dataset) and target.shape:
            made.append(target.regionref[0:1])
        self.root[name].attrs[self.random.choice(["categories", "odd"])] = self.random.choice(made)


def mutated(good, path, seed):
    """A mutated copy of `good` at `path`; the same for the same seed."""
    shutil.copyfile(good, path)
    with h5py.File(path, "r+") as root:
        Mutator(root, seed).mutate()
    return path
