// CSR and CSC matrices as blocks of rows.
#include <algorithm>
#include <optional>

#include "io/view/compressed_reader.hpp"
#include "io/view/matrix_view.hpp"

namespace quern::io {
namespace {

class CsrBlocks final : public MatrixBlocks {
 public:
  CsrBlocks(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget)
      : map_(input.columns), columns_(columns), reader_(input, rows, budget) {}

  bool next(MatrixBlock& block) override {
    if (!reader_.next(majors_)) return false;
    block.rows = {majors_.first, majors_.first + majors_.n_majors()};
    block.offsets.assign(1, 0);
    block.entries.clear();
    for (std::size_t row = 0; row + 1 < majors_.offsets.size(); ++row) {
      for (std::size_t i = majors_.offsets[row]; i < majors_.offsets[row + 1]; ++i) add(majors_.minors[i], majors_.values[i], block);
      make_row_canonical(block.entries, block.offsets.back(), reader_.kind());
      block.offsets.push_back(block.entries.size());
    }
    return true;
  }

 private:
  void add(std::uint32_t stored_column, Number value, MatrixBlock& block) const {
    const std::int64_t column = map_.to.empty() ? stored_column : map_.to[stored_column];
    if (contains(columns_, column)) block.entries.push_back({column, value});
  }

  ColumnMap map_;
  Ranges columns_;
  CompressedReader reader_;
  MajorBlock majors_;
};

struct Placed {
  std::int64_t row = 0;
  Entry entry;
};

// The chosen entries, read column after column, put in the order of rows.
class CollectedBlocks final : public MatrixBlocks {
 public:
  CollectedBlocks(std::vector<Placed> entries, Claim claim, Ranges rows, NumberKind kind)
      : claim_(std::move(claim)), entries_(std::move(entries)), rows_(std::move(rows)), kind_(kind) {
    std::stable_sort(entries_.begin(), entries_.end(), [](const Placed& a, const Placed& b) { return a.row < b.row; });
  }

  bool next(MatrixBlock& block) override {
    constexpr std::int64_t rows_at_once = 4096;
    if (range_ == rows_.size()) return false;
    const std::int64_t first = rows_[range_].first + done_of_range_;
    block.rows = {first, std::min(rows_[range_].last, first + rows_at_once)};
    done_of_range_ += block.rows.size();
    if (block.rows.last == rows_[range_].last) {
      ++range_;
      done_of_range_ = 0;
    }
    block.offsets.assign(1, 0);
    block.entries.clear();
    for (std::int64_t row = block.rows.first; row < block.rows.last; ++row) {
      for (; next_ < entries_.size() && entries_[next_].row == row; ++next_) block.entries.push_back(entries_[next_].entry);
      make_row_canonical(block.entries, block.offsets.back(), kind_);
      block.offsets.push_back(block.entries.size());
    }
    return true;
  }

 private:
  Claim claim_;
  std::vector<Placed> entries_;
  Ranges rows_;
  NumberKind kind_;
  std::size_t next_ = 0, range_ = 0;
  std::int64_t done_of_range_ = 0;
};

}  // namespace

void make_row_canonical(std::vector<Entry>& entries, std::size_t first, NumberKind kind) {
  const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(first);
  const auto in_order = [](const Entry& a, const Entry& b) { return a.column < b.column; };
  const auto not_ascending = [](const Entry& a, const Entry& b) { return a.column >= b.column; };
  if (std::adjacent_find(begin, entries.end(), not_ascending) == entries.end()) return;
  std::stable_sort(begin, entries.end(), in_order);
  auto last = begin;
  for (auto entry = begin + 1; entry != entries.end(); ++entry) {
    if (entry->column == last->column)
      add_to(kind, last->value, entry->value);
    else
      *++last = *entry;
  }
  entries.erase(last + 1, entries.end());
}

std::unique_ptr<MatrixBlocks> read_csr(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget) {
  return std::make_unique<CsrBlocks>(input, rows, columns, budget);
}

std::unique_ptr<MatrixBlocks> read_csc(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget) {
  CompressedReader reader(input, columns, budget);
  // Twice: sorting needs room, too.
  constexpr std::size_t bytes_each = 2 * sizeof(Placed);
  const std::size_t room = budget.available() / 2 / bytes_each;
  Claim claim = budget.claim("entries of a slice", std::min(room, static_cast<std::size_t>(reader.n_entries())) * bytes_each);
  std::vector<Placed> entries;
  MajorBlock block;
  while (reader.next(block))
    for (std::size_t m = 0; m + 1 < block.offsets.size(); ++m)
      for (std::size_t i = block.offsets[m]; i < block.offsets[m + 1]; ++i) {
        if (!contains(rows, block.minors[i])) continue;
        if (entries.size() == room) return nullptr;
        entries.push_back({block.minors[i], {block.first + static_cast<std::int64_t>(m), block.values[i]}});
      }
  return std::make_unique<CollectedBlocks>(std::move(entries), std::move(claim), rows, reader.kind());
}

}  // namespace quern::io
