// ChunkSource of a dense matrix whose gzip chunks are too large to be held: inflated row by row as the chunks of rows are fetched.
#include <algorithm>
#include <utility>

#include "io/decode/convert.hpp"
#include "io/source/dense_rows.hpp"
#include "io/source/dense_source.hpp"
#include "io/source/file_bytes.hpp"

namespace quern::io {
namespace {

constexpr std::size_t read_bytes = 256 << 10;

// The decoded bytes of one stored chunk, in order. `buffer` is for stored bytes.
class StoredChunkStream {
 public:
  StoredChunkStream(const RawDataset& dataset, FileBytes& file) : dataset_(dataset), file_(file) {}

  void use(std::span<std::byte> buffer) { buffer_ = buffer; }
  // Calls HDF5. `row` is the first of the chunk.
  void open(std::int64_t row) {
    const hsize_t corner[2] = {static_cast<hsize_t>(row), 0};
    const std::span<const hsize_t> offset(corner, dataset_.dims().size());
    bytes_left_ = dataset_.stored_chunk_bytes(offset);
    is_fill_ = bytes_left_ == 0;
    unread_ = {};
    inflate_.restart();
    if (is_fill_) return;
    file_offset_ = dataset_.chunk_file_offset(offset);
    is_plain_ = (dataset_.chunk_filter_mask(offset) & 1U) != 0;
    if (is_plain_ && bytes_left_ != dataset_.filters().chunk_bytes) throw_short();
  }
  void read(std::span<std::byte> out) {
    if (is_fill_) {
      const auto fill = dataset_.fill_value();
      for (std::size_t at = 0; at < out.size(); at += fill.size()) std::copy(fill.begin(), fill.end(), out.data() + at);
    } else if (is_plain_) {
      file_.read(file_offset_, out);
      file_offset_ += static_cast<std::int64_t>(out.size());
    } else {
      while (!out.empty()) {
        if (unread_.empty() && !read_stored()) throw_short();
        out = out.subspan(inflate_.read(unread_, out, dataset_.path()));
      }
    }
  }
  // After the chunk's last byte: checks its checksum.
  void finish() {
    if (is_fill_ || is_plain_) return;
    while (bytes_left_ > 0 && unread_.empty()) {
      read_stored();
      inflate_.read(unread_, {}, dataset_.path());
    }
    inflate_.finish(unread_, dataset_.path());
  }

 private:
  bool read_stored() {
    const std::size_t n = std::min(bytes_left_, buffer_.size());
    file_.read(file_offset_, buffer_.first(n));
    file_offset_ += static_cast<std::int64_t>(n);
    bytes_left_ -= n;
    unread_ = buffer_.first(n);
    return n > 0;
  }
  [[noreturn]] void throw_short() const {
    throw input_error("corrupt-chunk", dataset_.path(),
                      "a stored chunk holds less than the " + std::to_string(dataset_.filters().chunk_bytes) + " bytes of a chunk",
                      "the file is damaged: copy or download it again");
  }

  const RawDataset& dataset_;
  FileBytes& file_;
  StreamingInflate inflate_;
  std::span<std::byte> buffer_;
  std::span<const std::byte> unread_;
  std::int64_t file_offset_ = 0;
  std::size_t bytes_left_ = 0;
  bool is_fill_ = false, is_plain_ = false;
};

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
    rows_per_chunk_ = fitting_rows(wanted_rows(cost, targets, std::max<std::int64_t>(1, shape_.n_rows)), cost, targets, read_bytes);
    if (rows_per_chunk_ == 0 && targets.n_slots <= least_slots)
      throw over_budget(dataset_.path(), "inflating one row at a time",
                        read_bytes + static_cast<std::size_t>(targets.n_slots) * slot_bytes(1, cost, targets), targets, limit_bytes_);
    rows_per_chunk_ = std::max<std::int64_t>(1, rows_per_chunk_);
    SourcePlan plan = plan_of(shape_, rows_per_chunk_, cost);
    plan.shared_bytes = read_bytes;
    return plan;
  }

  void start(std::span<std::byte> shared) override {
    chunk_.use(shared.first(read_bytes));
    next_row_ = sequence_ = 0;
  }

  bool fetch(ChunkBuffer& slot) override {
    slot.rows = {next_row_, std::min(shape_.n_rows, next_row_ + rows_per_chunk_)};
    if (slot.rows.size() == 0) return false;
    slot.sequence = sequence_++;
    std::byte* to = slot.staging.data();
    for (; next_row_ < slot.rows.last; ++next_row_, to += row_bytes_) {
      if (next_row_ % rows_per_stored_chunk_ == 0) chunk_.open(next_row_);
      chunk_.read({to, row_bytes_});
      if (next_row_ % rows_per_stored_chunk_ == rows_per_stored_chunk_ - 1) chunk_.finish();
    }
    return true;
  }

  void decode(ChunkBuffer& slot) override {
    DenseRowWriter writer(dataset_.type(), columns_, slot);
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
