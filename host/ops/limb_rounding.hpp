// From a sum kept in limbs to a double. Limbs are 64-bit integers, 32 bits apart: sum = 2^lowest_exponent * sum of limb[i] * 2^(32 i).
// `Limbs` has get(i) and set(i, value), wherever the limbs may lie.
#pragma once
#include <bit>
#include <cstdint>
#include <limits>

#include "host/ops/host_device.hpp"
#include "host/ops/wide_int.hpp"

namespace quern {

// Carries into higher limbs: every limb but the last is then in [0, 2^32).
template <class Limbs>
QUERN_HOST_DEVICE void carry_limbs(const Limbs& limbs, int n) {
  std::int64_t carry = 0;
  QUERN_NO_UNROLL
  for (int i = 0; i + 1 < n; ++i) {
    const std::int64_t sum = limbs.get(i) + carry;
    limbs.set(i, sum & 0xffffffff);
    carry = sum >> 32;
  }
  limbs.set(n - 1, limbs.get(n - 1) + carry);
}

namespace limb_rounding {

QUERN_HOST_DEVICE inline double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// x * 2^exponent where that is a double, or too large for one; 1 <= x < 2^54. Both factors are powers of two that no double lacks.
QUERN_HOST_DEVICE inline double scaled(double x, int exponent) {
  const int half = exponent / 2;
  return x * power_of_two(half) * power_of_two(exponent - half);
}

template <class Limbs>
QUERN_HOST_DEVICE bool any_below(const Limbs& limbs, int position) {
  for (int i = 0; i < position >> 5; ++i)
    if (limbs.get(i)) return true;
  return (limbs.get(position >> 5) & ((std::int64_t{1} << (position & 31)) - 1)) != 0;
}

// The bits from `position` upwards; at most 53 are set above it.
template <class Limbs>
QUERN_HOST_DEVICE std::uint64_t bits_from(const Limbs& limbs, int n, int position) {
  uint128 window = 0;
  const int first = position >> 5;
  for (int i = 0; i < 4 && first + i < n; ++i) window += static_cast<uint128>(static_cast<std::uint64_t>(limbs.get(first + i))) << (32 * i);
  return static_cast<std::uint64_t>(window >> (position & 31));
}

// Of carried limbs that are not negative.
template <class Limbs>
QUERN_HOST_DEVICE double magnitude(const Limbs& limbs, int n, int lowest_exponent) {
  int top = n - 1;
  QUERN_NO_UNROLL
  while (top > 0 && limbs.get(top) == 0) --top;
  if (limbs.get(top) == 0) return 0;
  const int highest = 32 * top + 63 - std::countl_zero(static_cast<std::uint64_t>(limbs.get(top)));
  const int kept = highest > 52 ? highest - 52 : 0, subnormal = -1074 - lowest_exponent;
  const int lowest = kept > subnormal ? kept : subnormal;  // the last bit that a double keeps
  std::uint64_t significand = bits_from(limbs, n, lowest);
  const bool half = lowest > 0 && (limbs.get((lowest - 1) >> 5) >> ((lowest - 1) & 31) & 1);
  if (half && ((significand & 1) || any_below(limbs, lowest - 1))) ++significand;
  return scaled(static_cast<double>(significand), lowest + lowest_exponent);
}

}  // namespace limb_rounding

// The sum rounded once, to nearest even. flags: 1 NaN, 2 +infinity, 4 -infinity were among the addends. The limbs hold something else
// after.
template <class Limbs>
QUERN_HOST_DEVICE double rounded_limbs(const Limbs& limbs, int n, int lowest_exponent, std::uint32_t flags) {
  if ((flags & 1U) || (flags & 6U) == 6U) return std::numeric_limits<double>::quiet_NaN();
  if (flags) return flags & 2U ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  carry_limbs(limbs, n);
  const bool negative = limbs.get(n - 1) < 0;
  if (negative) {
    QUERN_NO_UNROLL
    for (int i = 0; i < n; ++i) limbs.set(i, -limbs.get(i));
    carry_limbs(limbs, n);
  }
  const double magnitude = limb_rounding::magnitude(limbs, n, lowest_exponent);
  return negative ? -magnitude : magnitude;
}

}  // namespace quern
