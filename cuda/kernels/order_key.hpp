// Numbers as unsigned keys of the same order, so that the largest can be looked for digit by digit.
#pragma once
#include <bit>
#include <cstdint>
#include <type_traits>

#include "cuda/device/device.hpp"

namespace quern::cuda {

// For the values of whole passes.
QUERN_DEVICE std::uint32_t order_key(std::int32_t value) { return static_cast<std::uint32_t>(value) ^ 0x80000000U; }
QUERN_DEVICE std::int32_t key_value(std::uint32_t key) { return static_cast<std::int32_t>(key ^ 0x80000000U); }

// For floating-point values. Every NaN has the highest key of all; both zeros have the same.
template <class Real>
QUERN_DEVICE auto order_key(Real value) {
  using Key = std::conditional_t<sizeof(Real) == 4, std::uint32_t, std::uint64_t>;
  constexpr Key sign = Key{1} << (sizeof(Key) * 8 - 1);
  if (value != value) return static_cast<Key>(~Key{0});
  if (value == 0) return sign;
  const Key bits = std::bit_cast<Key>(value);
  return static_cast<Key>(bits & sign ? ~bits : bits | sign);
}

// How many stored values are among the n_largest of a row of n_cols, n_stored of them stored, n_not_negative of these not below zero. What
// is not stored is a zero, and comes before the negative values and after all others.
QUERN_DEVICE std::uint32_t stored_rank(std::uint32_t n_largest, std::uint32_t n_not_negative, std::uint32_t n_stored,
                                       std::uint32_t n_cols) {
  if (n_largest <= n_not_negative) return n_largest;
  const std::uint32_t n_zeros = n_cols - n_stored;
  return n_largest <= n_not_negative + n_zeros ? n_not_negative : n_largest - n_zeros;
}

}  // namespace quern::cuda
