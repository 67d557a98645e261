// A sum kept in two doubles, about 106 bits: what is added in one fixed order gives one result, with no error that a double would show.
#pragma once
#include <cmath>
#include <limits>

#include "host/ops/host_device.hpp"
#include "host/ops/wide_int.hpp"

namespace quern {

// high is the sum rounded to nearest, low what that left out. Sums of whole numbers below 2^106 are exact, and so the same as those kept
// in an integer. NaN and infinities end up in high, as adding doubles would have it.
struct DoubleDouble {
  double high = 0, low = 0;

  QUERN_HOST_DEVICE void add(double x) {
    const double sum = high + x;
    if (!(std::abs(sum) <= std::numeric_limits<double>::max())) {
      high = sum;
      low = 0;
      return;
    }
    const double part = sum - high;
    const double rest = ((high - (sum - part)) + (x - part)) + low;
    high = sum + rest;
    low = rest - (high - sum);
  }
  // x * x, with what rounding it leaves out (Dekker's product; a square beyond 2^1000 is rounded).
  QUERN_HOST_DEVICE void add_square(double x) {
    const double square = x * x;
    add(square);
    if (!(square < 1e300)) return;
    constexpr double splitter = 134217729;  // 2^27 + 1
    const double scaled = splitter * x, upper = scaled - (scaled - x), lower = x - upper;
    add(((upper * upper - square) + 2 * (upper * lower)) + lower * lower);
  }
  real128 precise() const { return static_cast<real128>(high) + static_cast<real128>(low); }
  static DoubleDouble of(int128 whole) {
    const auto high = static_cast<double>(whole);
    return {high, static_cast<double>(whole - static_cast<int128>(high))};
  }
};

}  // namespace quern
