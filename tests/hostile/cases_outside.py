"""Links that lead out of the file, in circles or nowhere, and filters that nobody knows."""
import h5py

from hostile.bases import h5, link
from hostile.table import Case

SOFT, EXTERNAL = h5py.SoftLink, h5py.ExternalLink


def _cycle(root):
    root["uns/again"] = root["/"]


def _raw_genes(root):
    root.copy("var", "raw/var")


def unknown_filter(dataset, number):
    """Rewrites a dataset with a filter that no library has, its chunks stored as if it had been applied."""

    def edit(root):
        values = root[dataset][...]
        del root[dataset]
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((len(values),))
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, (1, 2))
        made = h5py.h5d.create(root.id, dataset.encode(), h5py.h5t.py_create(values.dtype), h5py.h5s.create_simple(values.shape), properties)
        made.write_direct_chunk((0,), values.tobytes(), filter_mask=0)

    return edit


def _everywhere(name, make, code, says="", names="", **how):
    return Case(name, make, code, says, names, info=code, **how)


CASES = [
    Case("soft-link-of-X", h5("modern", lambda root: root.move("X", "hidden"), link("X", SOFT("/hidden"))), "ok"),
    Case("soft-link-of-X-to-nowhere", h5("modern", link("X", SOFT("/nowhere"))), "broken-link", "leads nowhere", "/X"),
    Case("soft-link-of-X-to-itself", h5("modern", link("X", SOFT("/X"))), "broken-link", "leads nowhere", "/X"),
    Case("soft-links-in-a-circle", h5("modern", link("X", SOFT("/a")), link("a", SOFT("/b")), link("b", SOFT("/a"))), "broken-link",
         "leads nowhere", "/X"),
    Case("soft-link-of-raw-X-to-nowhere", h5("modern", _raw_genes, link("raw/X", SOFT("/nowhere"))), "ok", "leads nowhere", "/raw/X", check="broken-link"),
    Case("soft-link-to-nowhere", h5("modern", link("X/data", SOFT("/nowhere"))), "missing-object", "", "/X/data"),
    _everywhere("soft-link-of-obs-to-itself", h5("modern", link("obs", SOFT("/obs"))), "missing-group", "", "/obs"),
    Case("group-within-itself", h5("modern", _cycle), "ok"),
    _everywhere("external-link-of-X", h5("modern", link("X", EXTERNAL("other.h5", "/X"))), "external-reference", "an external link", "/X"),
    _everywhere("external-link-of-data", h5("modern", link("X/data", EXTERNAL("other.h5", "/X"))), "external-reference", "an external link",
                "/X/data"),
    _everywhere("external-link-of-obs", h5("modern", link("obs", EXTERNAL("other.h5", "/obs"))), "external-reference", "an external link",
                "/obs"),
    _everywhere("external-link-of-a-column", h5("modern", link("obs/number", EXTERNAL("other.h5", "/x"))), "external-reference",
                "an external link", "/obs/number"),
    Case("external-link-behind-soft-link", h5("modern", link("X", SOFT("/away")), link("away", EXTERNAL("other.h5", "/X"))),
         "external-reference", "an external link", "/X", info="external-reference"),
    Case("external-link-to-nowhere-allowed", h5("modern", link("X", EXTERNAL("nowhere.h5", "/X"))), "corrupt-hdf5", "", "/X",
         arguments=("--allow-external",), info="corrupt-hdf5"),
    Case("external-link-in-uns", h5("modern", link("uns/x", EXTERNAL("other.h5", "/X"))), "ok"),
    Case("unknown-filter-of-data", h5("modern", unknown_filter("X/data", 31234)), "unknown-filter", "31234", "/X/data"),
    Case("unknown-filter-of-indices", h5("modern", unknown_filter("X/indices", 31234)), "unknown-filter", "31234", "/X/indices"),
    Case("unknown-filter-of-indptr", h5("modern", unknown_filter("X/indptr", 31234)), "unknown-filter", "31234", "/X/indptr"),
    Case("unknown-filter-of-column", h5("modern", unknown_filter("obs/number", 31234)), "ok", "31234", "/obs/number", check="unknown-filter"),
]
