// The indptr of a CSR matrix: 64-bit, checked, claimed from the budget.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/memory.hpp"
#include "io/sources.hpp"

namespace quern::io {

class RowPointers {
 public:
  // Throws input_error("bad-indptr" | "bad-shape") when the pointers do not start at 0, decrease, have not rows + 1 entries, or do not
  // end at the length of data and indices.
  static RowPointers read(const MatrixInput& input, MemoryBudget& budget);

  std::int64_t at(std::int64_t row) const { return pointers_[static_cast<std::size_t>(row)]; }
  std::span<const std::int64_t> all() const { return pointers_; }
  std::int64_t used() const { return pointers_.back(); }  // entries that belong to a row
  std::int64_t largest_row() const { return largest_row_; }

 private:
  Claim claim_;
  std::vector<std::int64_t> pointers_;
  std::int64_t largest_row_ = 0;
};

}  // namespace quern::io
