// What multiplying the matrix with a dense one means, and the order in which sums are added up.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host/core/csr_chunk.hpp"

namespace quern {

constexpr std::int32_t most_product_columns = 256;

// A dense matrix, row after row. Not owned. product_slack_bytes that may be read lie behind the last value.
struct DenseView {
  const void* values = nullptr;
  ValueType type = ValueType::f64;
  std::int64_t n_rows = 0;
  std::int32_t n_cols = 0;
};
constexpr std::size_t product_slack_bytes = 64;

// X times B, or X transposed times B. Stored values only, as in every library: what is not stored adds nothing, whatever stands in B.
//
// Every result is one sum in double, from 0, over the stored values of a row in the order of their columns (X times B) or of a column in
// the order of their rows (X transposed): sum = sum + x * b, the product rounded and then the sum, no matter how rows are cut into chunks
// or what computes. So results are `reproducible`. Values and B in float32 have exact products: a fused multiplication and addition gives
// the same bits.
struct ProductSpec {
  DenseView b;
  bool transposed = false;
};

}  // namespace quern
