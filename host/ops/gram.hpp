// What products of genes with genes mean, and where their rows are cut.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "host/ops/host_device.hpp"

namespace quern {

// Rows of a block. Within a block the products of two genes are added up by themselves, then to those of the blocks before it, so that
// results depend on the numbers of rows and of genes alone, never on chunks or threads.
constexpr std::int64_t gram_block_rows(std::int64_t n_genes) {
  return std::clamp<std::int64_t>((4 << 20) / std::max<std::int64_t>(n_genes, 1), 1024, 8192) / 256 * 256;
}

// Whole numbers whose products with themselves add up to no more than this were added without rounding: no partial sum of x y is larger
// than the larger one of the sums of x x and of y y.
constexpr double exact_products = 9007199254740992.0;  // 2^53

// What sums of n_rows products in two orders may differ by, as a share of the largest that such a sum can be.
inline double products_bound(std::int64_t n_rows) { return static_cast<double>(n_rows + 1) * 0x1p-52; }

// Centred by the rank-one correction: from the sums of x y, of x and of y over n rows, ddof 1. n >= 2.
QUERN_HOST_DEVICE inline double covariance(double product, double sum_x, double sum_y, double n) {
  return (n * product - sum_x * sum_y) / (n * (n - 1));
}

// ddof 1, never below 0.
QUERN_HOST_DEVICE inline double variance(double square, double sum, double n) {
  const double value = covariance(square, sum, sum, n);
  return value < 0 ? 0 : value;
}

// Whether what centring leaves of the sum of squares is more than what rounding may have left.
inline bool varies(double square, double sum, double n) { return n * square - sum * sum > 0x1p-40 * n * square; }

// Pearson's, of genes that vary; within -1 .. 1.
inline double correlation(double covariance, double variance_x, double variance_y) {
  return std::clamp(covariance / (std::sqrt(variance_x) * std::sqrt(variance_y)), -1.0, 1.0);
}

}  // namespace quern
