// The counts that nearly all stored values are, 1, 2 and 3, taken out of a row at the speed of the cache.
#pragma once
#include <cstdint>
#include <vector>

namespace quern {

struct CommonCounts {
  std::int32_t ones = 0, twos = 0, threes = 0;
};

// Words that the bits of n values take.
inline std::size_t other_words(std::int64_t n) { return static_cast<std::size_t>((n + 63) / 64); }

// Counts the 1, 2 and 3 among n values. Bit i % 64 of others[i / 64] tells whether values[i] is something else; other_words(n) are written.
CommonCounts take_common(const float* values, std::int32_t n, std::uint64_t* others);
CommonCounts take_common(const double* values, std::int32_t n, std::uint64_t* others);

// The same code for one vector width.
struct CommonTarget {
  const char* name;
  CommonCounts (*floats)(const float* values, std::int32_t n, std::uint64_t* others);
  CommonCounts (*doubles)(const double* values, std::int32_t n, std::uint64_t* others);
};
// Those that this processor has, the widest first (which take_common uses); never empty.
const std::vector<CommonTarget>& common_targets();

}  // namespace quern
