// The file layouts: each writes one whole file from the same content.
#pragma once
#include <algorithm>
#include <vector>

#include "datasets/annotations.hpp"
#include "datasets/generate.hpp"
#include "datasets/matrix_stream.hpp"
#include "io/h5ad_write/output_file.hpp"

namespace quern::datasets {

// Everything about a data set but its values. Not copied or moved: the names refer to it.
struct Content {
  explicit Content(const GenerateSpec& wanted)
      : spec(wanted), genes(make_genes(spec)), model(spec, genes), labels(make_labels(spec, model)), names(spec) {}
  GenerateSpec spec;
  GeneCatalog genes;
  CellModel model;
  std::vector<LabelColumn> labels;
  CellNames names;
};

struct WriteContext {
  const Content& content;
  const GeneratePlan& plan;
  MemoryBudget& budget;
  StreamOptions stream;
};

// A compressed sparse group's datasets while they are written.
class SparseOutput {
 public:
  // Makes "data" (float32 or int32) and "indices" in `group`, and writes "indptr" whole.
  SparseOutput(const WriteContext& context, const io::OutputGroup& group, bool float_data, bool wide_indices, bool wide_indptr);
  io::ChunkedDataset& data() { return data_; }
  io::ChunkedDataset& indices() { return indices_; }
  void close();

 private:
  io::ChunkedDataset data_, indices_;
};

constexpr std::int64_t kCellBlock = 1 << 15;

// What obs, var, indptr and names need while they are written, at most.
std::size_t table_bytes(const GenerateSpec& spec);

// Calls `visit(first, cells)` for blocks of cells in order.
template <class Visit>
void for_cell_blocks(const Content& content, Visit visit) {
  std::vector<Cell> cells;
  for (std::int64_t first = 0; first < content.spec.n_cells; first += kCellBlock) {
    cells.clear();
    for (std::int64_t i = first; i < std::min(first + kCellBlock, content.spec.n_cells); ++i) cells.push_back(content.model.cell(i));
    visit(first, cells);
  }
}

// Share of `part` in a cell's counts; 0 for an empty cell.
inline float share(std::uint32_t part, const RowSampler::Totals& totals) {
  return totals.counts == 0 ? 0.0F : static_cast<float>(static_cast<double>(part) / totals.counts);
}

MatrixTotals write_modern(const io::OutputFile& file, const WriteContext& context);
MatrixTotals write_legacy(const io::OutputFile& file, const WriteContext& context);
MatrixTotals write_tenx(const io::OutputFile& file, const WriteContext& context);

}  // namespace quern::datasets
