#include "host/core/chunk_plan.hpp"

#include <algorithm>

namespace quern {

RowRange next_chunk(std::span<const std::int64_t> indptr, std::int64_t first_row, const ChunkLimits& limits) {
  const auto n_rows = static_cast<std::int64_t>(indptr.size()) - 1;
  if (first_row >= n_rows) return {n_rows, n_rows};
  const std::int64_t most_rows = std::min(n_rows, first_row + std::max<std::int64_t>(limits.max_rows, 1));
  const std::int64_t ceiling = indptr[static_cast<std::size_t>(first_row)] + limits.max_nnz;
  const auto begin = indptr.begin() + first_row + 1;
  const auto end = indptr.begin() + most_rows + 1;
  const auto past = std::upper_bound(begin, end, ceiling);
  return {first_row, first_row + std::max<std::int64_t>(past - begin, 1)};
}

}  // namespace quern
