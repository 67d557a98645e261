// What is known of one gene while its cells pass by. Stored non-zeros are observed; implicit zeros enter in the finishing functions.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

#include "host/ops/exact_sum.hpp"
#include "host/ops/host_device.hpp"
#include "host/ops/wide_int.hpp"

namespace quern {

// Counts and sums of whole numbers with |x| < 2^31 over up to 2^31 cells; exact.
struct WholeGene {
  std::int64_t sum = 0;
  std::int64_t n_nonzero = 0;
};

template <class V>
struct RealGene {
  typename ExactSums<V>::Sum sum;
  std::int64_t n_nonzero = 0;
};

// log1p CPM values as multiples of 2^-40, their sums in 128 bits: order-free, quantised far below double's error of a sum.
struct LogMoments {
  int128 sum = 0, squares = 0;
  std::uint32_t flags = 0;  // 1 NaN, 2 +infinity, 4 -infinity were observed

  void observe(std::int64_t value, std::int64_t square) {
    sum += value;
    squares += square;
  }
  void combine(const LogMoments& other) {
    sum += other.sum;
    squares += other.squares;
    flags |= other.flags;
  }
};

struct WholeMoments {
  int128 squares = 0;
  LogMoments logs;
  void combine(const WholeMoments& other) {
    squares += other.squares;
    logs.combine(other.logs);
  }
};

template <class V>
struct RealMoments {
  typename ExactSums<V>::SquareSum squares;
  LogMoments logs;
  void combine(const RealMoments& other) {
    squares.combine(other.squares);
    logs.combine(other.logs);
  }
};

constexpr double log_grid = 1099511627776.0;  // 2^40

// A log1p CPM value and its square on the grid; flags as in LogMoments, in place of a value off the grid.
struct GridLog {
  std::int64_t value = 0, square = 0;
  std::uint32_t flags = 0;
};
// To the nearest whole number, halves to the even one, without asking for the rounding mode of the machine.
QUERN_HOST_DEVICE inline double round_half_even(double x) {
  constexpr double no_fractions = 4503599627370496.0;  // 2^52
  if (!(x > -no_fractions && x < no_fractions)) return x;
  return x < 0 ? (x - no_fractions) + no_fractions : (x + no_fractions) - no_fractions;
}
QUERN_HOST_DEVICE inline GridLog grid_log(double x) {
  if (x != x) return {0, 0, 1};
  if (x - x != 0) return {0, 0, x > 0 ? 2U : 4U};
  return {static_cast<std::int64_t>(round_half_even(x * log_grid)), static_cast<std::int64_t>(round_half_even(x * x * log_grid)), 0};
}

struct MeanVar {
  double mean, var;  // var: ddof 1, NaN for fewer than two cells
};

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// Exact up to the final division: n Q - S^2 is formed in integers (|x| < 2^31, n < 2^31).
inline MeanVar finish_whole(std::int64_t sum, int128 squares, std::int64_t n) {
  if (n == 0) return {not_a_number, not_a_number};
  const double mean = static_cast<double>(sum) / static_cast<double>(n);
  if (n == 1) return {mean, not_a_number};
  const int128 scaled = static_cast<int128>(n) * squares - static_cast<int128>(sum) * sum;
  return {mean, static_cast<double>(static_cast<real128>(scaled) / (static_cast<real128>(n) * static_cast<real128>(n - 1)))};
}

inline MeanVar finish_real(real128 sum, real128 squares, std::int64_t n) {
  if (n == 0) return {not_a_number, not_a_number};
  const auto count = static_cast<real128>(n);
  const double mean = static_cast<double>(sum / count);
  if (n == 1) return {mean, not_a_number};
  const real128 spread = squares - sum * sum / count;
  return {mean, spread < 0 ? 0.0 : static_cast<double>(spread / (count - 1))};
}

inline MeanVar finish_logs(const LogMoments& logs, std::int64_t n) {
  if (logs.flags == 2 || logs.flags == 4) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    return {logs.flags == 2 ? infinity : -infinity, not_a_number};
  }
  if (logs.flags) return {not_a_number, not_a_number};
  const auto grid = static_cast<real128>(log_grid);
  return finish_real(static_cast<real128>(logs.sum) / grid, static_cast<real128>(logs.squares) / grid, n);
}

// What a row of total counts divides its values by on the way to counts per million; scanpy replaces a factor of 0 by 1.
QUERN_HOST_DEVICE inline double cpm_factor(double total) {
  const double factor = total / 1e6;
  return factor == 0 ? 1.0 : factor;
}

}  // namespace quern
