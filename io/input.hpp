// An input, whatever its format: what it holds, the matrix that was asked for, its names.
#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/file_info.hpp"

namespace quern::io {

struct Labels;  // io/h5ad/labels.hpp

// How much of the file the probe reads before this process does.
enum class ProbeDepth {
  metadata,   // what FileInfo holds
  run,        // also the names and the chunk index of the chosen matrix
  features,   // also what Input::features tells
  everything  // also every column of obs, var and raw.var, and the chunk index of every matrix
};

struct InputOptions {
  std::string layer = "X";                       // X, raw, layers/NAME
  std::string genome;                            // 10x
  std::string feature_type = "Gene Expression";  // 10x; "all" keeps everything
  bool allow_external = false;                   // follow external links, external storage, virtual datasets
  std::string tmp_dir;
  int threads = 1;
  ProbeDepth depth = ProbeDepth::run;
  std::vector<std::string> labels;          // columns of obs that Input::labels will read
  MemoryBudget* budget = nullptr;           // what reading names and columns keeps is claimed from it; outlives the input
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler: reading throws Interrupted soon
};

// Open for as long as its sources live. Opening first walks the same metadata in a forked probe with limits on processor time and
// memory, whose death is input_error("corrupt-hdf5").
class Input {
 public:
  static std::unique_ptr<Input> open(const std::string& path, const InputOptions& options);
  virtual ~Input() = default;

  virtual const FileInfo& info() const = 0;
  // The matrix the options name; input_error("no-such-matrix") listing what there is. Resolved at first use.
  virtual const MatrixInfo& matrix() = 0;
  // Genes of the result: after the feature-type filter.
  virtual std::int64_t n_vars() = 0;
  virtual std::unique_ptr<ChunkSource> source(MemoryBudget& budget) = 0;
  virtual std::unique_ptr<NameSource> row_names() = 0;
  virtual std::unique_ptr<NameSource> column_names() = 0;  // of the kept genes
  // What the file tells of the features of the matrix (of an h5ad: the columns of var that mean what those of 10x do), and such a column of
  // the kept ones.
  virtual FrameInfo features() = 0;
  virtual std::unique_ptr<NameSource> feature_column(const std::string& name) = 0;
  // column_names as scanpy's reader of this format gives them: those of a directory made unique. Claims what it then keeps.
  virtual std::unique_ptr<NameSource> scanpy_names(MemoryBudget& budget) = 0;
  // Values of a column of info().obs, .var or .raw_var as text, missing ones empty, numbers as Python's repr; all rows, unfiltered.
  virtual std::unique_ptr<NameSource> column(const FrameInfo& frame, const std::string& name) = 0;
  // A column of info().obs as levels, not one of numbers; the option `labels` has named it. Rows as the matrix has them.
  virtual Labels labels(const std::string& column, MemoryBudget& budget) = 0;
  // The base of the logarithms that uns/log1p tells of; 0: it tells none (natural logarithms).
  virtual double log_base() = 0;
  // What the user should know (names missing, features left out ...), collected so far.
  virtual const std::vector<Warning>& warnings() const = 0;
};

}  // namespace quern::io
