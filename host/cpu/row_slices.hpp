// The inner loop of a sparse gene against dense ones, for every vector width.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace quern {

// out[c] = sum over i of values[i] * rows[starts[i] + c] for c < width, each in the order of i, with no contraction: the same bits whatever
// the width of the vectors. `width` is a multiple of 8; at least one i.
void sum_row_slices(const double* rows, const std::uint32_t* starts, const double* values, std::size_t n, std::size_t width, double* out);

// The same code for one vector width.
struct RowSliceTarget {
  const char* name;
  void (*sum)(const double* rows, const std::uint32_t* starts, const double* values, std::size_t n, std::size_t width, double* out);
};
// Those that this processor has, the widest first (which sum_row_slices uses); never empty.
const std::vector<RowSliceTarget>& row_slice_targets();

}  // namespace quern
