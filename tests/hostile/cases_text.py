"""Matrix directories: MatrixMarket text and tables of names, plain and gzipped."""
import gzip

from hostile.bases import N_OBS, N_VARS, NNZ, OBS, TRUTH, VAR, tenx
from hostile.table import Case

HEADER = f"{N_VARS} {N_OBS} {NNZ}"


def directory(*edits, **how):
    """A good directory after edits, each of which takes its path; the input is the directory."""

    def make(folder):
        path = folder / "matrix"
        tenx.mtx(path, TRUTH, OBS, VAR, ["Gene Expression"] * N_VARS, **how)
        for edit in edits:
            edit(path)
        return path

    return make


def lines(edit, name="matrix.mtx"):
    """`edit` takes and returns the list of lines."""

    def apply(path):
        plain = (path / name).exists()
        file = path / (name if plain else name + ".gz")
        text = file.read_bytes() if plain else gzip.decompress(file.read_bytes())
        text = "\n".join(edit(text.decode().split("\n"))).encode()
        file.write_bytes(text if plain else gzip.compress(text, mtime=0))

    return apply


def line(number, text, name="matrix.mtx"):
    return lines(lambda all_lines: [*all_lines[:number], text, *all_lines[number + 1:]], name)


def stored(name, edit):
    def apply(path):
        (path / name).write_bytes(edit((path / name).read_bytes()))

    return apply


def remove(*names):
    def apply(path):
        for name in names:
            (path / name).unlink()

    return apply


def _everywhere(name, make, code, says="", **how):
    return Case(name, make, code, says, info=code, **how)


MATRIX, ENTRY = "matrix.mtx.gz", 7  # the number of a line that holds an entry

def _with_value(entry, value):
    return " ".join([*entry.split()[:2], str(value)])


CASES = [
    *[
        Case(f"mtx-value-{number}", directory(line(3, f"1 1 {number}")), "value-too-large", "line 4: an integer is beyond 2^53")
        for number in (2**53 + 1, -(2**53) - 1, 2**63, 10**30)
    ],
    Case("mtx-value-2^53", directory(lines(lambda all_lines: [*all_lines[:3], _with_value(all_lines[3], 2**53), *all_lines[4:]])), "ok"),
    Case("mtx-sum-beyond-2^53", directory(lines(lambda all_lines: [*all_lines[:3], _with_value(all_lines[3], 2**53), _with_value(all_lines[3], 1),
                                                                   *all_lines[5:]])), "value-too-large", "the sum of entries of one row and column"),
    # ---- the header
    _everywhere("mtx-empty", directory(stored("matrix.mtx", lambda _: b"")), "bad-mtx", "first line"),
    _everywhere("mtx-another-text", directory(line(0, "gene cell count")), "bad-mtx", "first line"),
    _everywhere("mtx-another-banner", directory(line(0, "%%MatrixBazaar matrix coordinate integer general")), "bad-mtx", "first line"),
    _everywhere("mtx-vector", directory(line(0, "%%MatrixMarket vector coordinate integer general")), "bad-mtx", "first line"),
    _everywhere("mtx-array", directory(line(0, "%%MatrixMarket matrix array integer general")), "unknown-encoding", "'array integer general'"),
    _everywhere("mtx-complex", directory(line(0, "%%MatrixMarket matrix coordinate complex general")), "unknown-encoding", "complex"),
    _everywhere("mtx-symmetric", directory(line(0, "%%MatrixMarket matrix coordinate integer symmetric")), "unknown-encoding", "symmetric"),
    _everywhere("mtx-header-only", directory(lines(lambda all_lines: all_lines[:2])), "bad-mtx", "rows, columns and entries"),
    _everywhere("mtx-sizes-of-two", directory(line(2, f"{N_VARS} {N_OBS}")), "bad-mtx", "rows, columns and entries"),
    _everywhere("mtx-sizes-negative", directory(line(2, f"-{N_VARS} {N_OBS} {NNZ}")), "bad-shape", f"-{N_VARS}"),
    _everywhere("mtx-sizes-huge", directory(line(2, f"{2**60} {N_OBS} {NNZ}")), "bad-shape", f"{2**60}"),
    _everywhere("mtx-sizes-beyond-64-bits", directory(line(2, f"{2**70} {N_OBS} {NNZ}")), "bad-mtx", "rows, columns and entries"),
    _everywhere("mtx-entries-negative", directory(line(2, f"{N_VARS} {N_OBS} -1")), "bad-mtx", "rows, columns and entries"),
    # ---- the entries
    Case("mtx-fewer-entries", directory(lines(lambda all_lines: all_lines[:-2])), "bad-mtx", f"{NNZ}"),
    Case("mtx-more-entries", directory(lines(lambda all_lines: [*all_lines[:-1], "1 1 1", ""])), "bad-mtx", f"{NNZ}"),
    Case("mtx-claims-2^40-entries", directory(line(2, f"{N_VARS} {N_OBS} {2**40}")), "bad-mtx", f"{2**40}"),
    Case("mtx-bad-line", directory(line(ENTRY, "one two three")), "bad-mtx", "one two three"),
    Case("mtx-line-of-two", directory(line(ENTRY, "1 1")), "bad-mtx", "1 1"),
    Case("mtx-line-of-four", directory(line(ENTRY, "1 1 1 1")), "bad-mtx", "line 8"),
    Case("mtx-number-cut", directory(line(ENTRY, "1 1 12x")), "bad-mtx", "line 8"),
    Case("mtx-real-among-integers", directory(line(ENTRY, "1 1 1.5")), "ok not-whole-numbers", check="ok", show="ok"),
    Case("mtx-gene-zero", directory(line(ENTRY, "0 1 5")), "bad-index", "0"),
    Case("mtx-gene-too-large", directory(line(ENTRY, f"{N_VARS + 1} 1 5")), "bad-index", f"{N_VARS + 1}"),
    Case("mtx-gene-negative", directory(line(ENTRY, "-1 1 5")), "bad-index", "-1"),
    Case("mtx-cell-zero", directory(line(ENTRY, "1 0 5")), "bad-index", "0"),
    Case("mtx-cell-too-large", directory(line(ENTRY, f"1 {N_OBS + 1} 5")), "bad-index", f"{N_OBS + 1}"),
    Case("mtx-gene-beyond-64-bits", directory(line(ENTRY, f"{2**64 + 1} 1 5")), "bad-mtx", ""),
    Case("mtx-long-line", directory(line(ENTRY, "1 1 0." + "1" * (2 << 20))), "bad-mtx", ""),
    Case("mtx-zero-bytes", directory(stored("matrix.mtx", lambda text: text + bytes(100))), "bad-mtx", ""),
    Case("mtx-blank-lines", directory(lines(lambda all_lines: [*all_lines[:ENTRY], "", *all_lines[ENTRY:], ""])), "ok"),
    Case("mtx-values-nan", directory(line(ENTRY, "1 1 nan"), field="real"), "ok has-nan", check="ok has-nan", show="ok"),
    Case("mtx-values-beyond-doubles", directory(line(ENTRY, "1 1 1e999"), field="real"), "ok has-infinity", check="ok has-infinity", show="ok"),
    # ---- compression
    Case("mtx-gz-truncated", directory(stored(MATRIX, lambda text: text[:len(text) // 2]), compressed=True), "truncated", "ends early"),
    Case("mtx-gz-without-its-end", directory(stored(MATRIX, lambda text: text[:-4]), compressed=True), "truncated", "ends early"),
    Case("mtx-gz-damaged", directory(stored(MATRIX, lambda text: text[:300] + b"\xff\xff\xff\xff" + text[304:]), compressed=True), "corrupt-gzip",
         "cannot be decompressed: incorrect data check", info="corrupt-gzip"),
    Case("mtx-gz-checksum", directory(stored(MATRIX, lambda text: text[:-8] + b"\0\0\0\0" + text[-4:]), compressed=True), "corrupt-gzip",
         "cannot be decompressed: incorrect data check", info="corrupt-gzip"),
    # ---- tables of names
    Case("mtx-features-short", directory(lines(lambda all_lines: all_lines[:-2], "features.tsv")), "ok no-usable-names"),
    Case("mtx-features-long", directory(lines(lambda all_lines: [*all_lines[:-1], "a\tb\tc", ""], "features.tsv")), "ok no-usable-names"),
    Case("mtx-features-missing", directory(remove("features.tsv")), "ok no-usable-names"),
    Case("mtx-barcodes-short", directory(lines(lambda all_lines: all_lines[:-2], "barcodes.tsv")), "ok no-usable-names"),
    Case("mtx-barcodes-missing", directory(remove("barcodes.tsv")), "ok no-usable-names"),
    Case("mtx-barcodes-truncated", directory(stored("barcodes.tsv.gz", lambda text: text[:-9]), compressed=True), "truncated", "ends early"),
    Case("mtx-features-truncated", directory(stored("features.tsv.gz", lambda text: text[:-9]), compressed=True), "truncated", "ends early"),
    Case("mtx-features-of-one-column", directory(lines(lambda all_lines: [text.split("\t")[0] for text in all_lines], "features.tsv")), "ok"),
]
