// exp(x) - 1 and log(x) with additions, multiplications and divisions in a fixed order: no contraction, no libm, the same bits everywhere.
#pragma once
#include <bit>
#include <cstdint>
#include <limits>

#include "host/ops/host_device.hpp"

namespace quern {

// exp(x) - 1 within 2 ulp; infinity above 709.78.
QUERN_HOST_DEVICE inline double expm1_exact_order(double x) {
  if (x != x) return std::numeric_limits<double>::quiet_NaN();
  if (x > 709.782712893384) return std::numeric_limits<double>::infinity();
  if (x < -38) return -1;
  constexpr double log2_e = 1.4426950408889634;
  constexpr double ln2_high = 6.93147180369123816490e-01;  // 33 significant bits: exact when multiplied by a small whole number
  constexpr double ln2_low = 1.90821492927058770002e-10;
  const auto k = static_cast<int>(x * log2_e + (x < 0 ? -0.5 : 0.5));  // towards 0
  const double r = (x - k * ln2_high) - k * ln2_low;                   // |r| <= 0.35
  // r + r^2/2! + r^3/3! + ...: the term of r^16 is below 2^-66.
  double series = 1.0 / 16;
  for (int n = 15; n >= 2; --n) series = (1.0 + series * r) / n;
  const double p = r + r * r * series;
  if (k == 0) return p;
  if (k > 1022) {  // 2^k is no double
    const double half = std::bit_cast<double>(static_cast<std::uint64_t>(k - 1 + 1023) << 52);
    return (half + half * p) * 2.0;
  }
  const double power = std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
  return (power - 1.0) + power * p;
}

// Natural logarithm within 2 ulp; 0 gives -infinity, less gives NaN.
QUERN_HOST_DEVICE inline double log_exact_order(double x) {
  if (!(x > 0)) return x == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (x > std::numeric_limits<double>::max()) return x;
  int exponent = -1023;
  if (x < std::numeric_limits<double>::min()) {  // subnormal: times 2^54
    x *= 18014398509481984.0;
    exponent -= 54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52);
  double m = std::bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);  // x = m 2^exponent, 1 <= m < 2
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  // log m = 2 artanh(s) = 2 s (1 + z/3 + z^2/5 + ...), |s| <= 0.1716, z = s^2
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double series = 1.0 / 25;
  for (int k = 23; k >= 3; k -= 2) series = series * z + 1.0 / k;
  constexpr double ln2_high = 6.93147180369123816490e-01;
  constexpr double ln2_low = 1.90821492927058770002e-10;
  const double tail = 2.0 * (s * z * series) + exponent * ln2_low;
  return exponent * ln2_high + (2.0 * s + tail);
}

}  // namespace quern
