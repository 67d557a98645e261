// Small counts replaced by what a table says of them, many at a time: one source, compiled for every vector width and chosen at run time.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace quern {

constexpr std::size_t lookup_counts = 16;  // counts from 1 to this number have a place in the table

// in: whole numbers with |x| < 2^31. out[i] = table[in[i] - 1] for the first counts of the table (8 or all of it); other values stay as
// they are and their places are listed in `others` (room for n). Returns how many those are. `out` may be `in`.
std::size_t look_up_counts(const float* in, std::size_t n, const float* table, float* out, std::uint32_t* others);

// One of the widths, for the tests.
struct LookupTarget {
  const char* name;
  std::size_t (*look_up)(const float*, std::size_t, const float*, float*, std::uint32_t*);
};
// Those this processor has, the widest first; the last is the baseline.
const std::vector<LookupTarget>& lookup_targets();

}  // namespace quern
