// Rows as backends want them: columns strictly ascending, duplicates summed.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"

namespace quern::io {

// Room for the largest row that has to be put in order; reserve once.
struct RowScratch {
  std::vector<std::uint64_t> keys;
  std::vector<double> values;
  std::string integers_of;  // the object, where the file stores integers: their sums must be exact
  void reserve(std::size_t max_row_nnz);
  static std::size_t bytes(std::size_t max_row_nnz) { return max_row_nnz * (sizeof(std::uint64_t) + sizeof(double)); }
};

// Sorts every row that is not ascending and sums duplicates, in stored order, closing the gaps they leave.
// Throws NeedsWiderValues when a sum has no exact float32 and slot.value_type is f32, "value-too-large" when a sum of integers is beyond
// 2^53. Returns the first entry whose column is not below n_cols, -1 when there is none; rows from its row on are then left as they were.
std::int32_t make_canonical(ChunkBuffer& slot, std::int64_t n_cols, RowScratch& scratch);

// The first entry whose column is not below n_cols, -1 when there is none.
std::int32_t find_bad_column(const std::uint32_t* columns, std::int32_t n, std::int64_t n_cols);

// Renumbers columns by `to` (-1: entry dropped), closing the gaps. All columns are below to.size().
void map_columns(ChunkBuffer& slot, const std::vector<std::int32_t>& to);

}  // namespace quern::io
