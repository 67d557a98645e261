// What values and columns are like, at the speed of the cache.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/core/csr_chunk.hpp"

namespace quern::io {

// true when every column is above the one before.
bool is_ascending(const std::uint32_t* columns, std::size_t n);

// What n values are like.
ChunkFacts inspect(const float* values, std::size_t n);
ChunkFacts inspect(const double* values, std::size_t n);

// The same code for one vector width.
struct InspectTarget {
  const char* name;
  ChunkFacts (*floats)(const float* values, std::size_t n);
  ChunkFacts (*doubles)(const double* values, std::size_t n);
  bool (*ascending)(const std::uint32_t* columns, std::size_t n);
};
// Those that this processor has, the widest first (which the functions above use); never empty.
const std::vector<InspectTarget>& inspect_targets();
ChunkFacts inspect(const float* values, std::size_t n, const InspectTarget& target);
ChunkFacts inspect(const double* values, std::size_t n, const InspectTarget& target);

}  // namespace quern::io
