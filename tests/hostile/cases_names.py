"""obs and var, names of cells and genes, columns and their categories."""
import h5py
import numpy as np

from hostile.bases import (N_OBS, N_VARS, after, as_type, attribute, cut, damaged, delete, encoding, flip_at, h5, h5ad, put,
                           replace)
from hostile.table import Case


def _empty_reference(root):
    attribute("obs/label", "categories", h5py.Reference())(root)


def _two_references(root):
    attribute("obs/label", "categories", np.array([root["obs"].ref] * 2, dtype=h5py.ref_dtype))(root)


def _reference_to_a_group(root):
    attribute("obs/label", "categories", root["obs"].ref)(root)


def _dangling_reference(root):
    del root["obs/__categories/label"]


def _text_column(name, values):
    def edit(root):
        if name in root:
            del root[name]
        h5ad.tag(root.create_dataset(name, data=np.array(values, dtype=object), dtype=h5ad.TEXT), "string-array", "0.2.0")

    return edit


CASES = [
    # ---- frames
    Case("no-obs", h5("modern", delete("obs")), "missing-group", "not in the file", "/obs", info="missing-group"),
    Case("no-var", h5("modern", delete("var")), "missing-group", "not in the file", "/var", info="missing-group"),
    Case("obs-of-numbers", h5("0.6", replace("obs", np.zeros(N_OBS))), "bad-type", "expected a dataframe", "/obs", info="bad-type"),
    Case("obs-2-d", h5("0.6", replace("obs", np.zeros((N_OBS, 1), dtype=[("index", "S4")]))), "bad-type", "expected a dataframe", "/obs",
         info="bad-type"),
    Case("obs-newer-encoding", h5("modern", encoding("obs", "dataframe", "0.3.0")), "unknown-encoding", "'dataframe 0.3.0'", "/obs",
         info="unknown-encoding"),
    Case("obs-without-index-name", h5("modern", attribute("obs", "_index", None)), "missing-attribute", "_index", "/obs",
         info="missing-attribute"),
    Case("obs-index-missing", h5("modern", delete("obs/_index")), "missing-object", "expected", "/obs/_index", info="missing-object"),
    Case("obs-index-elsewhere", h5("modern", attribute("obs", "_index", "../var/_index")), "missing-object", "", info="missing-object"),
    Case("obs-index-unknown-encoding", h5("modern", delete("obs/_index"), lambda root: h5ad.tag(root.create_group("obs/_index"), "rope", "0.1.0")),
         "unknown-encoding", "'rope'", "/obs/_index", info="unknown-encoding"),
    Case("obs-short", h5("modern", cut("obs/_index", -1)), "bad-shape", "37 x 64, but the names are 36 x 64", "/X"),
    Case("obs-long", h5("modern", cut("obs/_index", N_OBS + 1)), "bad-shape", "but the names are 38 x 64", "/X"),
    Case("var-short", h5("modern", cut("var/_index", -1)), "bad-shape", "but the names are 37 x 63", "/X"),
    Case("var-long", h5("modern", cut("var/_index", N_VARS + 1)), "bad-shape", "but the names are 37 x 65", "/X"),
    Case("0.6-obs-short", h5("0.6", cut("obs", -1)), "bad-shape", "but the names are 36 x 64", "/X"),
    Case("obs-index-2-d", h5("modern", replace("obs/_index", np.full((N_OBS, 2), b"a"))), "bad-shape", "list of values", "/obs/_index",
         info="bad-shape"),
    Case("column-order-of-numbers", h5("modern", attribute("obs", "column-order", np.arange(3))), "bad-type", "expected strings",
         "/obs (attribute column-order)", info="bad-type"),
    Case("column-order-missing", h5("modern", attribute("obs", "column-order", None)), "ok missing-attribute", "column-order", "/obs",
         info="ok missing-attribute", check="missing-attribute"),
    # ---- columns that the statistics do not need: told by info and check, no reason to stop
    Case("column-missing", h5("modern", delete("obs/number")), "ok", "", "/obs/number", check="missing-object"),
    Case("column-short", h5("modern", cut("obs/number", -1)), "ok", "holds 36 values, the index 37", "/obs/number", check="bad-shape"),
    Case("column-unknown-encoding", h5("modern", encoding("obs/label", "rope", "0.1.0")), "ok", "'rope'", "/obs/label",
         check="unknown-encoding"),
    Case("column-listed-twice", h5("modern", attribute("obs", "column-order", np.array(["number", "number"], dtype=object))), "ok", "",
         "/obs/number", check="duplicate-column"),
    Case("column-named-as-index", h5("modern", attribute("obs", "column-order", np.array(["number", "_index"], dtype=object))), "ok"),
    Case("codes-beyond-categories", h5("modern", put("obs/label/codes", 3, 100)), "ok", "code 100 of 3", "/obs/label/codes",
         check="bad-categories"),
    Case("codes-below-missing", h5("modern", put("obs/label/codes", 3, -2)), "ok", "code -2 of 3", "/obs/label/codes",
         check="bad-categories"),
    Case("codes-of-reals", h5("modern", as_type("obs/label/codes", "f4")), "ok", "expected integers", "/obs/label/codes", check="bad-type"),
    Case("categories-missing", h5("modern", delete("obs/label/categories")), "ok", "", "/obs/label/categories", check="missing-object"),
    Case("mask-short", h5("modern", cut("obs/maybe/mask", -1)), "ok", "as long as the values", "/obs/maybe/mask", check="bad-shape"),
    # HDF5 leaves what was deleted where it lay, and follows the reference to it.
    Case("0.7-reference-to-what-was-deleted", h5("0.7", _dangling_reference), "ok"),
    Case("0.7-reference-empty", h5("0.7", _empty_reference), "ok", "points to no dataset", "/obs/label (categories)", check="bad-reference"),
    Case("0.7-reference-to-a-group", h5("0.7", _reference_to_a_group), "ok", "points to no dataset", "/obs/label (categories)",
         check="bad-reference"),
    Case("0.7-reference-a-number", h5("0.7", attribute("obs/label", "categories", 7)), "ok", "expected an object reference",
         "/obs/label (attribute categories)", check="bad-type"),
    Case("0.7-references-of-two", h5("0.7", _two_references), "ok", "expected an object reference",
         "/obs/label (attribute categories)", check="bad-type"),
    Case("0.6-codes-beyond-categories", h5("0.6", cut("uns/label_categories", 1)), "ok"),
    Case("raw-without-var", h5("modern", lambda root: root.copy("X", "raw/X")), "ok", "not in the file", "/raw/var", check="missing-group"),
    Case("raw-without-var-asked-for", h5("modern", lambda root: root.copy("X", "raw/X")), "missing-group", "not in the file", "/raw/var",
         arguments=("--layer", "raw")),
    # ---- names that are odd, not wrong
    Case("names-twice", h5("modern", _text_column("var/_index", ["same"] * N_VARS)), "ok duplicate-names", check="ok", show="ok"),
    Case("names-of-control-characters", h5("modern", _text_column("obs/_index", [f"a\t{i}\n\"b\"" for i in range(N_OBS)])), "ok"),
    Case("names-not-utf-8", h5("0.6", put("obs", 0, (b"\xff\xfe", 0, 0.0))), "ok"),
    Case("names-empty", h5("modern", _text_column("obs/_index", [""] * N_OBS)), "ok"),
    # ---- 10x: positional names take the place of unusable ones
    Case("10x-barcodes-short", h5("10x-v3", cut("matrix/barcodes", -1)), "ok no-usable-names", show="ok no-usable-names"),
    Case("10x-barcodes-long", h5("10x-v3", cut("matrix/barcodes", N_OBS + 1)), "ok no-usable-names"),
    Case("10x-barcodes-missing", h5("10x-v3", delete("matrix/barcodes")), "ok no-usable-names"),
    Case("10x-barcodes-of-numbers", h5("10x-v3", replace("matrix/barcodes", np.arange(N_OBS))), "ok no-usable-names"),
    Case("10x-genes-short", h5("10x-v2", cut("hg19/gene_names", -1), cut("hg19/genes", -1)), "ok no-usable-names"),
    Case("10x-features-missing", h5("10x-v3", delete("matrix/features")), "ok no-usable-names"),
    Case("10x-features-short", h5("10x-v3", cut("matrix/features/name", -1), cut("matrix/features/id", -1)), "ok no-usable-names"),
    Case("10x-no-shape", h5("10x-v3", delete("matrix/shape")), "missing-object", "", "/matrix/shape", info="missing-object"),
    Case("10x-no-data", h5("10x-v3", delete("matrix/data")), "missing-object", "", "/matrix/data", info="missing-object"),
    # ---- variable-length texts: the collection they are kept in is damaged
    Case("texts-heap-signature", damaged("modern", flip_at(after(b"GCOL"))), "corrupt-hdf5", info="corrupt-hdf5"),
    Case("texts-heap-size", damaged("modern", flip_at(after(b"GCOL", 8)), flip_at(after(b"GCOL", 9))), "corrupt-hdf5", info="corrupt-hdf5"),
]
