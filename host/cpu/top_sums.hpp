// Sums of the n largest values of a row, implicit zeros included.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/backend.hpp"
#include "host/ops/exact_sum.hpp"

namespace quern {

// Scratch of one thread; reserves once.
struct TopScratch {
  explicit TopScratch(std::int64_t n_vars);
  static std::size_t bytes(std::int64_t n_vars);
  static constexpr std::int64_t small = 256;  // values below are counted, not sorted
  std::vector<std::uint32_t> counts;          // a histogram of `small` bins, all 0 between two rows
  std::vector<std::uint64_t> others;          // a bit for each value of the row
  std::vector<double> large;
};

// Whole, values: n entries of one row. `n_top` ascending, none above n_vars. Writes one Total for each.
template <class V>
void top_sums_whole(const V* values, std::int32_t n, std::int64_t n_vars, std::span<const std::int32_t> n_top, TopScratch& scratch,
                    Total* out);
template <class V>
void top_sums_real(const V* values, std::int32_t n, std::int64_t n_vars, std::span<const std::int32_t> n_top, TopScratch& scratch,
                   Total* out);

}  // namespace quern
