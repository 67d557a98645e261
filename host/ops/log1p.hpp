// log(1 + x) by one routine for host and device: additions, multiplications and divisions in a fixed order, no contraction, no libm.
#pragma once
#include <bit>
#include <cstdint>
#include <limits>

#include "host/ops/host_device.hpp"

namespace quern {

// Natural logarithm of 1 + x, within 2 ulp. -1 gives -infinity, less gives NaN.
QUERN_HOST_DEVICE inline double log1p_exact_order(double x) {
  if (!(x > -1.0)) return x == -1.0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (x > std::numeric_limits<double>::max()) return x;
  const double u = 1.0 + x;
  // What rounding 1 + x lost, relative to u.
  const double lost = x > 1.0 ? 1.0 - (u - x) : x - (u - 1.0);
  const auto bits = std::bit_cast<std::uint64_t>(u);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);  // u = m 2^exponent, 1 <= m < 2
  if (m > 1.4142135623730951) {
    m *= 0.5;
    exponent += 1;
  }
  // log m = 2 artanh(s) = 2 s (1 + z/3 + z^2/5 + ...), |s| <= 0.1716, z = s^2 <= 0.0295: twelve terms reach 2^-60.
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s;
  double series = 1.0 / 25;
  for (int k = 23; k >= 3; k -= 2) series = series * z + 1.0 / k;
  const double half = s * z * series;
  constexpr double ln2_high = 6.93147180369123816490e-01;  // 33 significant bits: exact when multiplied by an exponent
  constexpr double ln2_low = 1.90821492927058770002e-10;
  const double tail = 2.0 * half + (exponent * ln2_low + lost / u);
  return exponent * ln2_high + (2.0 * s + tail);
}

}  // namespace quern
