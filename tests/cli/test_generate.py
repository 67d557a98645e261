"""quern generate: files that anndata and scanpy read, the same bytes every time, and nothing left behind when it fails."""
import json
import resource
import signal
import subprocess
import time

import anndata
import h5py
import hdf5plugin  # noqa: F401  registers zstd with h5py
import numpy as np
import pytest
import scanpy as sc

from support.program import run

SMALL = ["--cells", 300, "--genes", 2000, "--nnz-per-cell", 120]


def in_words(words):
    return " ".join(map(str, words)) or "none"


@pytest.fixture
def generate(quern_bin, tmp_path):
    def make(name, *arguments, preset="pbmc3k", expect=0, size=tuple(SMALL)):
        run(quern_bin, "generate", tmp_path / name, "--preset", preset, *size, *arguments, "-q", expect=expect)
        return tmp_path / name

    return make


def counts_of(path):
    """The counts as scipy's CSR, whatever the layout."""
    if path.suffix == ".h5":
        return sc.read_10x_h5(path).X
    data = anndata.read_h5ad(path)
    return data.X if data.raw is None else data.raw.X


def same(a, b):
    return a.shape == b.shape and (a != b).nnz == 0


@pytest.mark.parametrize("layout", ["modern", "legacy"])
@pytest.mark.parametrize("preset", ["pbmc3k", "tabula-muris-droplet"])
def test_anndata_reads_it(generate, layout, preset):
    data = anndata.read_h5ad(generate("a.h5ad", "--layout", layout, preset=preset))
    assert data.shape == (300, 2000)
    assert data.obs_names.is_unique and data.var_names.is_unique
    counts = data.X if data.raw is None else data.raw.X
    assert counts.has_sorted_indices and counts.min() >= 0 and (counts.data == np.round(counts.data)).all()
    totals = np.asarray(counts.sum(axis=1)).ravel()
    assert np.array_equal(data.obs["n_counts"], totals)
    assert np.array_equal(data.obs["n_genes"], np.diff(counts.indptr))
    assert np.array_equal(data.var["n_cells"], np.bincount(counts.indices, minlength=2000))
    mito = data.var_names.str.upper().str.startswith("MT-")
    assert mito.sum() == 13
    assert np.allclose(data.obs["percent_mito"], np.asarray(counts[:, mito].sum(axis=1)).ravel() / totals, rtol=1e-6)
    labels = [name for name in data.obs.columns if str(data.obs[name].dtype) == "category"]
    assert {"tissue", "cluster", "sex"} <= set(labels) and len(labels) == 6
    if preset == "tabula-muris-droplet":
        expected = np.log1p(counts.data * (1e6 / np.repeat(totals, np.diff(counts.indptr)))).astype("f4")
        assert np.allclose(data.X.data, expected, rtol=2e-7)
        assert np.array_equal(data.X.indices, counts.indices)
    else:
        assert data.raw is None


@pytest.mark.parametrize("layout", ["10x-v2", "10x-v3"])
def test_scanpy_reads_it(generate, layout):
    path = generate("a.h5", "--layout", layout)
    data = sc.read_10x_h5(path)
    assert data.shape == (300, 2000) and data.obs_names.is_unique
    assert data.var["gene_ids"].str.startswith("ENSG").all()
    assert same(data.X, counts_of(generate("b.h5ad")))
    with h5py.File(path) as file:
        group = file["matrix" if layout == "10x-v3" else "hg19"]
        assert (group["data"].dtype, group["indices"].dtype, group["indptr"].dtype) == ("i4", "i8", "i8")


def test_the_layout_of_old_files(generate):
    with h5py.File(generate("a.h5ad", preset="tabula-muris-droplet")) as file:
        assert set(file) == {"X", "obs", "var", "raw.X", "raw.var", "uns"}
        assert file["X"].attrs["h5sparse_format"] == "csr" and list(file["X"].attrs["h5sparse_shape"]) == [300, 2000]
        assert file["obs"].dtype.names[0] == "index" and file["obs"].dtype.kind == "V"
        assert file["uns/tissue_categories"].dtype.kind == "S"
        assert not dict(file.attrs)


def test_wide_indices_of_the_atlas(generate):
    with h5py.File(generate("a.h5ad", preset="atlas-11m")) as file:
        assert (file["X/data"].dtype, file["X/indices"].dtype, file["X/indptr"].dtype) == ("f4", "i8", "i8")


@pytest.mark.parametrize("preset", ["tabula-muris-droplet", "pbmc3k", "brain-1.3m"])
def test_same_arguments_same_bytes(generate, preset):
    size = ["--cells", 2500, "--genes", 2000, "--nnz-per-cell", 400]  # several segments
    first = generate("a", "-t", 1, preset=preset, size=size).read_bytes()
    time.sleep(1.1)  # a time in whole seconds would show
    for threads in (2, 3):
        assert generate("b", "-t", threads, "-f", preset=preset, size=size).read_bytes() == first
    assert generate("c", "--seed", 1, preset=preset, size=size).read_bytes() != first


@pytest.mark.parametrize("arguments", [["--chunk", 1], ["--chunk", 997], ["--chunk", 10_000_000], ["--compression", "none"],
                                       ["--compression", "gzip:1"], ["--compression", "gzip:9,shuffle"], ["--compression", "zstd:3"],
                                       ["--compression", "zstd:1,shuffle", "--chunk", 500]], ids=in_words)
def test_storage_does_not_change_the_matrix(generate, arguments):
    size = ["--cells", 40, "--genes", 500, "--nnz-per-cell", 30]
    assert same(counts_of(generate("a.h5ad", *arguments, size=size)), counts_of(generate("b.h5ad", size=size)))


def test_chunks_and_filters_are_as_asked(generate):
    with h5py.File(generate("a.h5ad", "--chunk", 1234, "--compression", "gzip:7,shuffle")) as file:
        for name in ("data", "indices"):
            assert file["X"][name].chunks == (1234,) and file["X"][name].maxshape == (None,)
            assert file["X"][name].compression_opts == 7 and file["X"][name].shuffle
    with h5py.File(generate("b.h5ad")) as file:
        nnz = file["X/data"].shape
        assert file["X/data"].chunks == h5py.File("x", "w", driver="core", backing_store=False).create_dataset("x", shape=nnz, maxshape=(None,), dtype="f4").chunks


@pytest.mark.parametrize("layout", ["modern", "legacy", "10x-v2", "10x-v3"])
@pytest.mark.parametrize("size", [["--cells", 0], ["--cells", 20, "--genes", 1], ["--cells", 50, "--genes", 30, "--nnz-per-cell", 0.5],
                                  ["--cells", 20, "--nnz-per-cell", 0]], ids=in_words)
def test_small_and_empty_sets(quern_bin, tmp_path, layout, size):
    path = tmp_path / ("a.h5" if layout.startswith("10x") else "a.h5ad")
    done = run(quern_bin, "generate", path, "--preset", "pbmc3k", "--layout", layout, *size, "--json", "-")
    result = json.loads(done.stdout)["result"]
    counts = counts_of(path)
    assert counts.shape == (result["n_obs"], result["n_vars"])
    assert counts.nnz == result["nnz"] and counts.sum() == result["total_counts"]


@pytest.mark.parametrize("preset, shape, nnz", [("tabula-muris-droplet", (54967, 18099), 105.3e6), ("pbmc3k", (2700, 32738), 2.3e6),
                                                ("brain-1.3m", (1306127, 27998), 2.61e9), ("atlas-11m", (11441407, 24552), 18.3e9)])
def test_dry_run_knows_the_size(quern_bin, tmp_path, preset, shape, nnz):
    done = run(quern_bin, "generate", tmp_path / "a", "--preset", preset, "--dry-run", "--json", "-")
    result = json.loads(done.stdout)["result"]
    assert (result["n_obs"], result["n_vars"]) == shape
    assert result["nnz"] == pytest.approx(nnz, rel=0.03)
    assert result["memory_bytes"] < 512 << 20
    assert not list(tmp_path.iterdir())


def test_report(quern_bin, tmp_path):
    done = run(quern_bin, "generate", tmp_path / "a.h5ad", "--preset", "pbmc3k", *SMALL, "--seed", 5, "--json", "-")
    report = json.loads(done.stdout)
    assert report["schema"] == "quern.generate/1"
    expected = {"preset": "pbmc3k", "layout": "modern", "seed": 5, "n_obs": 300, "n_vars": 2000, "compression": "gzip:4",
                "path": str(tmp_path / "a.h5ad"), "file_bytes": (tmp_path / "a.h5ad").stat().st_size}
    assert {key: report["result"][key] for key in expected} == expected
    assert report["result"]["nnz"] == counts_of(tmp_path / "a.h5ad").nnz


def test_memory_is_bounded(quern_bin, tmp_path):
    done = run(quern_bin, "generate", tmp_path / "a.h5", "--preset", "brain-1.3m", "--cells", 20_000, "-m", "64MiB", "-t", 2, "--json", "-")
    facts = json.loads(done.stdout)["run"]
    assert facts["budget_bytes"] == 64 << 20 and facts["peak_rss_bytes"] < (64 + 48) << 20


def test_too_little_memory(generate, tmp_path):
    generate("a.h5ad", "-m", "2MiB", expect=5)
    generate("a.h5ad", "-m", "64MiB", "--chunk", 1 << 28, expect=5)
    assert not list(tmp_path.iterdir())


def test_refuses_to_replace(generate):
    path = generate("a.h5ad")
    before = path.read_bytes()
    generate("a.h5ad", "--seed", 1, expect=4)
    assert path.read_bytes() == before
    generate("a.h5ad", "--seed", 1, "-f")
    assert path.read_bytes() != before


@pytest.mark.parametrize("arguments", [["--preset", "pbmc4k"], [], ["--preset", "pbmc3k", "--layout", "loom"],
                                       ["--preset", "pbmc3k", "--compression", "snappy"], ["--preset", "pbmc3k", "--cells", "-1"],
                                       ["--preset", "pbmc3k", "--genes", 0], ["--preset", "pbmc3k", "--nnz-per-cell", 30_000],
                                       ["--preset", "pbmc3k", "--chunk", 0], ["--preset", "pbmc3k", "--genes", 10**9],
                                       ["--preset", "pbmc3k", "--cels", 10]], ids=in_words)
def test_wrong_words(quern_bin, tmp_path, arguments):
    done = run(quern_bin, "generate", tmp_path / "a.h5ad", *arguments, expect=2)
    assert done.stderr.startswith("quern generate: ") and not list(tmp_path.iterdir())


def test_standard_output_is_refused(quern_bin):
    assert "stdout-output" in run(quern_bin, "generate", "-", "--preset", "pbmc3k", expect=2).stderr


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_leave_nothing(quern_bin, tmp_path, name):
    process = subprocess.Popen([quern_bin, "generate", tmp_path / "a.h5", "--preset", "brain-1.3m", "-q"])
    deadline = time.monotonic() + 30
    while not list(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert list(tmp_path.iterdir())
    time.sleep(0.3)
    process.send_signal(name)
    assert process.wait(timeout=10) == -name
    assert not list(tmp_path.iterdir())


# Where the disk ends: in the first bytes, in the matrix, in obs, in the last metadata that only closing writes.
@pytest.mark.parametrize("share", [0.0, 0.002, 0.1, 0.5, 0.9, 0.97, 0.99, 0.999])
@pytest.mark.parametrize("preset", ["pbmc3k", "tabula-muris-droplet", "brain-1.3m"])
def test_full_disk(quern_bin, generate, tmp_path, preset, share):
    whole = generate("whole", preset=preset)
    limit = int(whole.stat().st_size * share)
    whole.unlink()
    done = subprocess.run([quern_bin, "generate", tmp_path / "a", "--preset", preset, *map(str, SMALL)], capture_output=True, text=True,
                          timeout=60, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert done.returncode == 4, done.stderr
    assert "write-failed" in done.stderr and "File too large" in done.stderr
    assert "HDF5-DIAG" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_rows_that_straddle_segments(generate):
    size = ["--cells", 2500, "--genes", 2000, "--nnz-per-cell", 400]
    whole = generate("a.h5ad", "--chunk", 10_000_000, size=size)
    parts = generate("b.h5ad", "--chunk", 9973, size=size)
    assert counts_of(whole).nnz > 3 * 262_144
    assert same(counts_of(whole), counts_of(parts))
    assert anndata.read_h5ad(whole).obs.equals(anndata.read_h5ad(parts).obs)
    assert anndata.read_h5ad(whole).var.equals(anndata.read_h5ad(parts).var)
