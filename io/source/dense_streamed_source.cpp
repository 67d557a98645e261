// ChunkSource of a dense matrix whose gzip chunks are too large to be held: inflated row by row as the chunks of rows are fetched.
#include <algorithm>
#include <utility>

#include "io/decode/convert.hpp"
#include "io/source/dense_rows.hpp"
#include "io/source/dense_source.hpp"
#include "io/source/file_bytes.hpp"
#include "io/source/stored_chunk_stream.hpp"

namespace quern::io {
namespace {

class StreamedDenseSource final : public ChunkSource {
 public:
  StreamedDenseSource(const MatrixInput& input, RawDataset dataset, const MemoryBudget& budget)
      : shape_(dense_shape(input, dataset)),
        dataset_(std::move(dataset)),
        columns_(input.columns),
        file_(input.path, dataset_.path()),
        chunk_(dataset_, file_),
        limit_bytes_(budget.limit()) {
    rows_per_stored_chunk_ = static_cast<std::int64_t>(dataset_.chunk_dims()[0]);
    row_bytes_ = dataset_.filters().chunk_bytes / static_cast<std::size_t>(rows_per_stored_chunk_);
    n_stored_columns_ = static_cast<std::size_t>(input.matrix.cols);
  }

  MatrixShape shape() const override { return shape_; }
  ValueType natural_value_type() const override { return quern::io::natural_value_type(dataset_.type()); }

  SourcePlan plan(const ChunkTargets& targets) override {
    const RowCost cost{shape_.n_cols, 0, 0, row_bytes_};
    rows_per_chunk_ =
        fitting_rows(wanted_rows(cost, targets, std::max<std::int64_t>(1, shape_.n_rows)), cost, targets, stored_chunk_read_bytes);
    if (rows_per_chunk_ == 0 && targets.n_slots <= least_slots)
      throw over_budget(dataset_.path(), "inflating one row at a time",
                        stored_chunk_read_bytes + static_cast<std::size_t>(targets.n_slots) * slot_bytes(1, cost, targets), targets,
                        limit_bytes_);
    rows_per_chunk_ = std::max<std::int64_t>(1, rows_per_chunk_);
    SourcePlan plan = plan_of(shape_, rows_per_chunk_, cost);
    plan.shared_bytes = stored_chunk_read_bytes;
    return plan;
  }

  void start(std::span<std::byte> shared) override {
    chunk_.use(shared.first(stored_chunk_read_bytes));
    next_row_ = sequence_ = 0;
  }

  bool fetch(ChunkBuffer& slot) override {
    slot.rows = {next_row_, std::min(shape_.n_rows, next_row_ + rows_per_chunk_)};
    if (slot.rows.size() == 0) return false;
    slot.sequence = sequence_++;
    std::byte* to = slot.staging.data();
    for (; next_row_ < slot.rows.last; ++next_row_, to += row_bytes_) {
      if (next_row_ % rows_per_stored_chunk_ == 0) {
        const hsize_t corner[2] = {static_cast<hsize_t>(next_row_), 0};
        chunk_.open(StoredChunkStream::locate(dataset_, {corner, dataset_.dims().size()}));
      }
      chunk_.read({to, row_bytes_});
      if (next_row_ % rows_per_stored_chunk_ == rows_per_stored_chunk_ - 1) chunk_.finish();
    }
    return true;
  }

  void decode(ChunkBuffer& slot) override {
    DenseRowWriter writer(dataset_, columns_, slot);
    for (std::int64_t i = 0; i < slot.rows.size(); ++i) {
      writer.add(slot.staging.data() + static_cast<std::size_t>(i) * row_bytes_, n_stored_columns_, 0);
      writer.end_row();
    }
    writer.finish();
  }

  std::int64_t bytes_read() const override { return file_.bytes_read(); }

 private:
  MatrixShape shape_;
  RawDataset dataset_;
  ColumnMap columns_;
  FileBytes file_;
  StoredChunkStream chunk_;
  std::size_t limit_bytes_ = 0, row_bytes_ = 0, n_stored_columns_ = 0;
  std::int64_t rows_per_stored_chunk_ = 1, rows_per_chunk_ = 1, next_row_ = 0, sequence_ = 0;
};

}  // namespace

std::unique_ptr<ChunkSource> make_streamed_dense_source(const MatrixInput& input, RawDataset dataset, MemoryBudget& budget) {
  return std::make_unique<StreamedDenseSource>(input, std::move(dataset), budget);
}

}  // namespace quern::io
