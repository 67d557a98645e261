// Everything an h5ad holds, of whatever generation, into a new one of the kind anndata 0.8 and later write.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/core/memory.hpp"
#include "io/carry/chunk_visit.hpp"
#include "io/carry/copy_frame.hpp"
#include "io/carry/selection.hpp"
#include "io/file_info.hpp"
#include "io/h5ad_write/compression.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

using CopyElement = std::function<void(const std::string& path, const OutputGroup& to, const std::string& name)>;

struct CarryOptions {
  Selection cells, genes;  // raw loses cells only
  bool with_x = true;      // false: the caller writes X
  // As anndata's raw.to_adata(): raw's X, var and varm become the file's own, `genes` are those of raw; what belongs to the other genes
  // (X, layers, varm, varp) is left out, with a warning.
  bool raw_as_x = false;
  std::vector<NewColumn> obs, var, raw_var;
  std::vector<std::string> without_layers, without_uns;  // names that the caller writes anew, or that go away
  // Called while the group is open, to write into it; `copy` carries an element of the source over.
  std::function<void(const OutputGroup& layers, const CopyElement& copy)> add_layers;
  std::function<void(const OutputGroup& uns, const CopyElement& copy)> add_uns;
  // The same for arrays of cells and of genes, which take the place of those that the source has under these names.
  std::vector<std::string> without_obsm, without_varm;
  std::function<void(const OutputGroup& obsm)> add_obsm;
  std::function<void(const OutputGroup& varm)> add_varm;
  int threads = 1;
  // Sparse matrices of which a part is kept: how their chunks are walked (empty: serially), what they are packed with (none given: gzip:1
  // where the source is packed), and whether they are read as doubles. Without that a matrix with repeated entries may need it:
  // NeedsWiderValues, and all is to be written again.
  VisitChunks visit;
  TakeSource take_source;  // empty: each matrix is read from the file
  std::optional<Compression> packing;
  bool wide_values = false;
  std::string tmp_dir;                      // for such matrices stored by columns that do not fit the budget
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler: Interrupted soon
};

// Writes X (where there is one), obs, var, obsm, varm, obsp, varp, uns, layers and raw. Nothing is dropped in silence: what cannot be
// written for every reader is named in the warnings returned, what cannot be carried at all is thrown. Memory: pieces of 1 MiB, or one
// stored chunk. The file is read through HDF5: survey it first.
std::vector<Warning> carry_over(const Hdf5File& from, const OutputFile& to, const CarryOptions& options, MemoryBudget& budget);

// Where a matrix of an h5ad is in its file: "/X", "/raw/X", "/raw.X", "/layers/NAME".
std::string element_path(const MatrixInfo& matrix);

struct CarrySurvey {
  std::int64_t bytes = 0;          // that a whole carry-over writes, roughly
  std::int64_t largest_piece = 0;  // that it holds at once, at most
};
// In a probe (hdf5/probe.hpp): walks all that carry_over will read through HDF5, and throws what it would throw.
CarrySurvey survey_carry_over(const std::string& path, bool allow_external);

}  // namespace quern::io
