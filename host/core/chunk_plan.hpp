// Cuts rows into chunks: a pure function of the row pointers and the limits, independent of backend, threads and ranks.
#pragma once
#include <cstdint>
#include <span>

#include "host/core/chunk_source.hpp"

namespace quern {

struct ChunkLimits {
  std::int64_t max_nnz = 0;  // a chunk stays within it unless it is a single row
  std::int64_t max_rows = 0;
};

// The chunk that starts at `first_row`: as many whole rows as the limits allow, at least one, none when first_row is the end.
// `indptr` has n_rows + 1 non-decreasing entries (it may start above 0). O(log of the rows taken).
RowRange next_chunk(std::span<const std::int64_t> indptr, std::int64_t first_row, const ChunkLimits& limits);

}  // namespace quern
