// Dense matrices as blocks of rows. HDF5 cuts the block out: a slice of a tiled matrix decodes the tiles it meets and no others.
#include <algorithm>

#include "io/hdf5/raw_dataset.hpp"
#include "io/view/matrix_view.hpp"

namespace quern::io {
namespace {

constexpr std::size_t most_block_bytes = std::size_t{64} << 20;

class DenseBlocks final : public MatrixBlocks {
 public:
  DenseBlocks(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget)
      : dataset_(input.file, input.matrix.data.path), kind_(number_kind(input.matrix.data.type)), rows_(rows), columns_(columns) {
    const auto& chunk = dataset_.chunk_dims();
    if (!chunk.empty()) {
      tile_rows_ = static_cast<std::int64_t>(chunk[0]);
      tile_columns_ = static_cast<std::int64_t>(chunk[1]);
      tile_claim_ = budget.claim("stored chunks of a slice", 2 * dataset_.filters().chunk_bytes);
    }
    join_columns();
    const auto width = static_cast<std::size_t>(std::max<std::int64_t>(1, widest_));
    const std::size_t row_bytes =
        width * (dataset_.type().bytes + sizeof(Number)) + static_cast<std::size_t>(total_size(columns)) * sizeof(Entry);
    const std::size_t room = std::min(budget.available() / 4, most_block_bytes) / row_bytes;
    rows_at_once_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(room));
    if (rows_at_once_ > tile_rows_) rows_at_once_ -= rows_at_once_ % tile_rows_;
    block_claim_ = budget.claim("entries of a slice", static_cast<std::size_t>(std::min(rows_at_once_, longest_range())) * row_bytes);
  }

  bool next(MatrixBlock& block) override {
    if (range_ == rows_.size()) return false;
    const std::int64_t first = rows_[range_].first + done_of_range_;
    const std::int64_t before = rows_at_once_ < tile_rows_ ? 0 : first % tile_rows_;  // end where tiles end
    block.rows = {first, std::min(rows_[range_].last, first - before + rows_at_once_)};
    done_of_range_ += block.rows.size();
    if (block.rows.last == rows_[range_].last) {
      ++range_;
      done_of_range_ = 0;
    }
    read(block);
    return true;
  }

 private:
  std::int64_t longest_range() const {
    std::int64_t longest = 0;
    for (const RowRange& range : rows_) longest = std::max(longest, range.size());
    return longest;
  }

  // Chosen columns of one tile are read together, so that the tile is decoded once.
  void join_columns() {
    for (const RowRange& range : columns_) {
      if (!spans_.empty() && range.first / tile_columns_ == (spans_.back().last - 1) / tile_columns_)
        spans_.back().last = range.last;
      else
        spans_.push_back(range);
      widest_ = std::max(widest_, spans_.back().size());
    }
  }

  void read(MatrixBlock& block) {
    const auto n_rows = static_cast<std::size_t>(block.rows.size());
    per_row_.resize(std::max(per_row_.size(), n_rows));
    for (std::size_t row = 0; row < n_rows; ++row) per_row_[row].clear();
    for (const RowRange& span : spans_) read_span(block.rows, span);
    block.offsets.assign(1, 0);
    block.entries.clear();
    for (std::size_t row = 0; row < n_rows; ++row) {
      block.entries.insert(block.entries.end(), per_row_[row].begin(), per_row_[row].end());
      block.offsets.push_back(block.entries.size());
    }
  }

  void read_span(RowRange rows, RowRange span) {
    const hsize_t start[2] = {static_cast<hsize_t>(rows.first), static_cast<hsize_t>(span.first)};
    const hsize_t count[2] = {static_cast<hsize_t>(rows.size()), static_cast<hsize_t>(span.size())};
    raw_.resize(count[0] * count[1] * dataset_.type().bytes);
    numbers_.resize(count[0] * count[1]);
    dataset_.read_block(start, count, raw_.data());
    read_numbers(dataset_.type(), raw_.data(), numbers_.size(), numbers_.data());
    for (std::size_t row = 0; row < count[0]; ++row)
      for (std::size_t i = 0; i < count[1]; ++i) {
        const Number value = numbers_[row * count[1] + i];
        const std::int64_t column = span.first + static_cast<std::int64_t>(i);
        if (!is_zero(kind_, value) && contains(columns_, column)) per_row_[row].push_back({column, value});
      }
  }

  RawDataset dataset_;
  NumberKind kind_;
  Ranges rows_, columns_, spans_;
  std::int64_t tile_rows_ = 1, tile_columns_ = 1, widest_ = 0, rows_at_once_ = 1, done_of_range_ = 0;
  std::size_t range_ = 0;
  Claim tile_claim_, block_claim_;
  std::vector<std::byte> raw_;
  std::vector<Number> numbers_;
  std::vector<std::vector<Entry>> per_row_;
};

}  // namespace

std::unique_ptr<MatrixBlocks> read_dense(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget) {
  if (!input.columns.to.empty())
    throw Error(ErrorKind::internal, "mapped-columns", input.matrix.data.path, "a dense matrix is never filtered");
  // HDF5 holds a tile twice; where that is too much, the source can do with less.
  const RawDataset dataset(input.file, input.matrix.data.path);
  if (dataset.filters().chunk_bytes > budget.available() / 4)
    return read_source(make_dense_source(input, budget), number_kind(input.matrix.data.type), rows, columns, budget);
  return std::make_unique<DenseBlocks>(input, rows, columns, budget);
}

}  // namespace quern::io
