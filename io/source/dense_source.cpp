// ChunkSource of a dense matrix that lies in the file row after row; tiled ones are in dense_tile_source.cpp.
#include <algorithm>
#include <limits>

#include "io/decode/convert.hpp"
#include "io/source/dense_rows.hpp"
#include "io/source/dense_source.hpp"
#include "io/source/file_bytes.hpp"
#include "io/source/slot_planner.hpp"

namespace quern::io {
namespace {

constexpr std::size_t read_bytes = 256 << 10;

// Stored chunks of whole rows, so large that decoding one at once would take much of the budget, whose filter can be undone piecewise.
bool must_stream(const RawDataset& dataset, const MemoryBudget& budget) {
  const auto& steps = dataset.filters().steps;
  if (dataset.access() != Access::chunks || steps.size() != 1 || steps[0].id != static_cast<int>(FilterId::deflate)) return false;
  const bool whole_rows = dataset.dims().size() == 1 || dataset.chunk_dims()[1] >= dataset.dims()[1];
  return whole_rows && dataset.filters().chunk_bytes > std::min<std::size_t>(budget.available() / 8, std::size_t{128} << 20);
}

class ContiguousDenseSource final : public ChunkSource {
 public:
  ContiguousDenseSource(const MatrixInput& input, RawDataset dataset, const MemoryBudget& budget)
      : dataset_(std::move(dataset)), columns_(input.columns), file_(input.path, dataset_.path()), limit_bytes_(budget.limit()) {
    shape_ = dense_shape(input, dataset_);
    row_bytes_ = static_cast<std::size_t>(input.matrix.cols) * dataset_.type().bytes;
  }

  MatrixShape shape() const override { return shape_; }
  ValueType natural_value_type() const override { return quern::io::natural_value_type(dataset_.type()); }

  SourcePlan plan(const ChunkTargets& targets) override {
    rows_at_once_ = std::max<std::size_t>(1, read_bytes / std::max<std::size_t>(1, row_bytes_));
    const RowCost cost{shape_.n_cols, rows_at_once_ * row_bytes_, 0};
    rows_per_chunk_ = fitting_rows(wanted_rows(cost, targets, std::max<std::int64_t>(1, shape_.n_rows)), cost, targets, 0);
    if (rows_per_chunk_ == 0 && targets.n_slots <= least_slots)
      throw over_budget(dataset_.path(), "reading one row at a time",
                        static_cast<std::size_t>(targets.n_slots) * slot_bytes(1, cost, targets), targets, limit_bytes_);
    rows_per_chunk_ = std::max<std::int64_t>(1, rows_per_chunk_);
    return plan_of(shape_, rows_per_chunk_, cost);
  }

  void start(std::span<std::byte>) override { next_row_ = sequence_ = 0; }

  bool fetch(ChunkBuffer& slot) override {
    slot.rows = {next_row_, std::min(shape_.n_rows, next_row_ + rows_per_chunk_)};
    next_row_ = slot.rows.last;
    if (slot.rows.size() == 0) return false;
    slot.sequence = sequence_++;
    return true;
  }

  void decode(ChunkBuffer& slot) override {
    DenseRowWriter writer(dataset_, columns_, slot);
    for (std::int64_t row = slot.rows.first; row < slot.rows.last;) {
      const auto n_rows = static_cast<std::size_t>(std::min<std::int64_t>(slot.rows.last - row, static_cast<std::int64_t>(rows_at_once_)));
      const std::span<std::byte> raw = slot.staging.first(n_rows * row_bytes_);
      file_.read(dataset_.contiguous_offset() + row * static_cast<std::int64_t>(row_bytes_), raw);
      for (std::size_t i = 0; i < n_rows; ++i) {
        writer.add(raw.data() + i * row_bytes_, row_bytes_ / dataset_.type().bytes, 0);
        writer.end_row();
      }
      row += static_cast<std::int64_t>(n_rows);
    }
    writer.finish();
  }

  std::int64_t bytes_read() const override { return file_.bytes_read(); }

 private:
  RawDataset dataset_;
  ColumnMap columns_;
  FileBytes file_;
  std::size_t limit_bytes_ = 0, row_bytes_ = 0, rows_at_once_ = 1;
  MatrixShape shape_;
  std::int64_t rows_per_chunk_ = 1, next_row_ = 0, sequence_ = 0;
};

}  // namespace

MatrixShape dense_shape(const MatrixInput& input, const RawDataset& dataset) {
  const auto& dims = dataset.dims();
  const auto n_rows = static_cast<std::int64_t>(dims[0]), n_cols = dims.size() > 1 ? static_cast<std::int64_t>(dims[1]) : 1;
  if (n_rows != input.matrix.rows || n_cols != input.matrix.cols)
    throw input_error("bad-shape", dataset.path(),
                      "is " + std::to_string(n_rows) + " x " + std::to_string(n_cols) + ", expected " + std::to_string(input.matrix.rows) +
                          " x " + std::to_string(input.matrix.cols));
  if (n_cols > std::numeric_limits<std::int32_t>::max()) throw input_error("bad-shape", dataset.path(), "has more than 2^31 columns");
  std::int32_t last = -1;
  for (const std::int32_t column : input.columns.to) {
    if (column < 0) continue;
    if (column <= last)
      throw Error(ErrorKind::internal, "unordered-columns", dataset.path(), "the columns kept are not in their stored order");
    last = column;
  }
  return {n_rows, input.columns.to.empty() ? n_cols : input.columns.n_kept, -1};
}

SourcePlan plan_of(const MatrixShape& shape, std::int64_t rows_per_chunk, const RowCost& cost) {
  SourcePlan plan;
  plan.slot.max_rows = static_cast<std::int32_t>(rows_per_chunk);
  plan.slot.max_nnz = static_cast<std::int32_t>(std::max<std::int64_t>(1, rows_per_chunk * cost.max_row_nnz));
  plan.slot.staging_bytes = cost.staging_bytes + static_cast<std::size_t>(rows_per_chunk) * cost.staging_bytes_per_row;
  plan.slot.pending_bytes = cost.pending_bytes;
  plan.n_chunks = (shape.n_rows + rows_per_chunk - 1) / rows_per_chunk;
  return plan;
}

std::unique_ptr<ChunkSource> make_dense_source(const MatrixInput& input, MemoryBudget& budget) {
  RawDataset dataset(input.file, input.matrix.data.path);
  if (dataset.access() == Access::contiguous) return std::make_unique<ContiguousDenseSource>(input, std::move(dataset), budget);
  if (must_stream(dataset, budget)) return make_streamed_dense_source(input, std::move(dataset), budget);
  return make_tiled_dense_source(input, std::move(dataset), budget);
}

}  // namespace quern::io
