// The stored values of a generated matrix: made, packed and written in stored chunks, all in parallel but the writing.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "datasets/cell_model.hpp"
#include "host/core/memory.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"

namespace quern::datasets {

// Where the values go. All datasets have one length and chunk length. The same packed chunk is written to all of `counts`, and to all of
// `indices`. Not owned.
struct MatrixTargets {
  std::vector<io::ChunkedDataset*> counts, indices;
  io::ChunkedDataset* normalized = nullptr;  // log1p(count / total * 1e6) as float32; may be null
  bool float_counts = true;                  // float32, else int32
  bool wide_indices = false;                 // int64, else int32
};

struct MatrixTotals {
  std::vector<RowSampler::Totals> of_cell;
  std::vector<std::int64_t> cells_of_gene;
};

struct StreamOptions {
  int threads = 1;
  // Called now and then with the stored values written so far; may throw to stop.
  std::function<void(std::int64_t)> progress;
};

// Bytes that write_matrix claims apart from the totals.
std::size_t stream_bytes(const GenerateSpec& spec, const io::ChunkedShape& shape, bool wide_indices, int threads);

// The totals are claimed by the caller. What is written depends on the spec alone.
MatrixTotals write_matrix(const GenerateSpec& spec, const CellModel& model, const GeneCatalog& genes, const MatrixTargets& targets,
                          MemoryBudget& budget, const StreamOptions& options);

}  // namespace quern::datasets
