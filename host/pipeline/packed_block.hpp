// Rows of a chunk, narrowed: 16-bit columns where all fit, one byte for each small count, the others beside them.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host/core/chunk_source.hpp"

namespace quern {

// How the rows of one decoded chunk are kept in memory that another owns. Non-owning; freely copied.
struct PackedBlock {
  RowRange rows;
  ChunkFacts facts;
  ValueType value_type = ValueType::f32;  // that the values were decoded as
  bool rearranged = false, narrow_columns = false, counts = false;
  std::int32_t nnz = 0, n_others = 0;  // n_others: values that are no whole numbers from 0 to 254, where counts are kept
  std::byte* at = nullptr;             // `bytes()` of them, at a multiple of 64

  std::size_t bytes() const;
  const std::int32_t* offsets() const { return reinterpret_cast<const std::int32_t*>(at); }  // rows.size() + 1
};

// What the chunk takes when packed; `at` is not set yet. Reads all values once.
PackedBlock plan_block(const ChunkBuffer& chunk, std::int64_t n_cols);
// Fills the memory at block.at.
void pack_block(const ChunkBuffer& chunk, const PackedBlock& block);

// Fills offsets, columns, values, facts and `rearranged` of `slot` with slot.rows, which lie in the block; the facts are those of the whole
// block. Bit by bit what was packed, but for the width of the values. Throws NeedsWiderValues where slot.value_type cannot hold one.
void unpack_rows(const PackedBlock& block, ChunkBuffer& slot);

// As many rows from `first_row` (in the block) on as the limits allow, at least one.
RowRange rows_within(const PackedBlock& block, std::int64_t first_row, std::int64_t max_nnz, std::int64_t max_rows);

}  // namespace quern
