// Any chunk source as blocks of rows, one slot at a time.
#include <algorithm>

#include "io/view/matrix_view.hpp"
#include "io/view/source_walk.hpp"

namespace quern::io {
namespace {

// Whole numbers beyond 2^53 are rounded: sources give doubles.
class SourceBlocks final : public MatrixBlocks {
 public:
  SourceBlocks(std::unique_ptr<ChunkSource> source, NumberKind kind, const Ranges& rows, const Ranges& columns, MemoryBudget& budget)
      : source_(std::move(source)), kind_(kind), rows_(rows), columns_(columns), walk_(*source_, budget) {}

  bool next(MatrixBlock& block) override {
    while (range_ < rows_.size()) {
      const std::int64_t first = std::max(rows_[range_].first, next_row_);
      if (first == rows_[range_].last) {
        ++range_;
        continue;
      }
      if (first < walk_.chunk().rows.last) {
        take({first, std::min(rows_[range_].last, walk_.chunk().rows.last)}, block);
        return true;
      }
      if (!walk_.next()) break;
    }
    return false;
  }

 private:
  void take(RowRange rows, MatrixBlock& block) {
    const ChunkBuffer& chunk = walk_.chunk();
    block.rows = rows;
    block.offsets.assign(1, 0);
    block.entries.clear();
    for (std::int64_t row = rows.first - chunk.rows.first; row < rows.last - chunk.rows.first; ++row) {
      for (std::int32_t i = chunk.offsets[row]; i < chunk.offsets[row + 1]; ++i)
        if (contains(columns_, chunk.columns[i]))
          block.entries.push_back({chunk.columns[i], number_from(kind_, chunk.values_as<double>()[i])});
      block.offsets.push_back(block.entries.size());
    }
    next_row_ = rows.last;
  }

  std::unique_ptr<ChunkSource> source_;
  NumberKind kind_;
  Ranges rows_, columns_;
  SourceWalk walk_;
  std::size_t range_ = 0;
  std::int64_t next_row_ = 0;
};

}  // namespace

std::unique_ptr<MatrixBlocks> read_source(std::unique_ptr<ChunkSource> source, NumberKind kind, const Ranges& rows, const Ranges& columns,
                                          MemoryBudget& budget) {
  return std::make_unique<SourceBlocks>(std::move(source), kind, rows, columns, budget);
}

}  // namespace quern::io
