// Sums of floating-point numbers that do not depend on the order: every addend is split over fixed 32-bit positions of an absolute
// exponent grid and added there as integers, so nothing is rounded until the end. The result is the correctly rounded sum.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "host/ops/wide_int.hpp"

namespace quern {

// LowestExponent: all addends are multiples of 2^LowestExponent. Bits: all are below 2^(LowestExponent + Bits) in magnitude.
// Plain data; value-initialised it is 0. Up to 2^30 observations between two calls of normalise.
template <int LowestExponent, int Bits>
class ExactSum {
 public:
  static constexpr int n_limbs = (Bits + 31) / 32 + 3;  // a shifted significand spans three limbs; one more for carries

  void observe(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
    if (exponent == 0x7ff) return observe_special(x);
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
    const std::uint64_t significand = exponent ? fraction | std::uint64_t{1} << 52 : fraction;
    // x = significand * 2^(exponent - 1075); the grid counts from LowestExponent.
    const int position = (exponent ? exponent : 1) - 1075 - LowestExponent;
    add(significand, position, x < 0);
  }

  void combine(ExactSum other) {
    normalise();
    other.normalise();
    for (int i = 0; i < n_limbs; ++i) limbs_[at(i)] += other.limbs_[at(i)];
    flags_ |= other.flags_;
  }

  // Carries into higher limbs: every limb but the last is then in [0, 2^32).
  void normalise() {
    std::int64_t carry = 0;
    for (int i = 0; i + 1 < n_limbs; ++i) {
      const std::int64_t sum = limbs_[at(i)] + carry;
      limbs_[at(i)] = sum & 0xffffffff;
      carry = sum >> 32;
    }
    limbs_[at(n_limbs - 1)] += carry;
  }

  // The sum rounded once, to nearest even.
  double value() const {
    if (flags_) return special();
    ExactSum sum = *this;
    sum.normalise();
    const bool negative = sum.limbs_[at(n_limbs - 1)] < 0;
    if (negative) {
      for (auto& limb : sum.limbs_) limb = -limb;
      sum.normalise();
    }
    const double magnitude = sum.magnitude();
    return negative ? -magnitude : magnitude;
  }

  // The sum to about 107 bits, as a 128-bit real: for differences of sums.
  real128 precise() const {
    const double high = value();
    if (!std::isfinite(high)) return high;
    ExactSum rest = *this;
    rest.observe(-high);
    return static_cast<real128>(high) + static_cast<real128>(rest.value());
  }

 private:
  static constexpr std::size_t at(int i) { return static_cast<std::size_t>(i); }

  void add(std::uint64_t significand, int position, bool negative) {
    if (position < 0) {  // the bits below the grid are zeros, or the type's contract is broken
      significand >>= -position;
      position = 0;
    }
    const uint128 shifted = static_cast<uint128>(significand) << (position & 31);
    const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(shifted) & 0xffffffff);
    const auto middle = static_cast<std::int64_t>(static_cast<std::uint64_t>(shifted >> 32) & 0xffffffff);
    const auto high = static_cast<std::int64_t>(static_cast<std::uint64_t>(shifted >> 64));
    const std::int64_t sign = negative ? -1 : 1;
    std::int64_t* limb = &limbs_[at(position >> 5)];
    limb[0] += sign * low;
    limb[1] += sign * middle;
    limb[2] += sign * high;
  }

  void observe_special(double x) { flags_ |= std::isnan(x) ? 1U : x > 0 ? 2U : 4U; }

  double special() const {
    if ((flags_ & 1U) || (flags_ & 6U) == 6U) return std::numeric_limits<double>::quiet_NaN();
    return flags_ & 2U ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  }

  // Of a normalised, non-negative sum.
  double magnitude() const {
    int top = n_limbs - 1;
    while (top > 0 && limbs_[at(top)] == 0) --top;
    if (limbs_[at(top)] == 0) return 0;
    const int highest = 32 * top + 63 - std::countl_zero(static_cast<std::uint64_t>(limbs_[at(top)]));
    const int lowest = std::max({highest - 52, 0, -1074 - LowestExponent});  // the last bit that a double keeps
    std::uint64_t significand = bits_from(lowest);
    const bool half = lowest > 0 && bit(lowest - 1);
    if (half && ((significand & 1) || any_below(lowest - 1))) ++significand;
    return std::ldexp(static_cast<double>(significand), lowest + LowestExponent);
  }

  bool bit(int position) const { return limbs_[at(position >> 5)] >> (position & 31) & 1; }
  bool any_below(int position) const {
    for (int i = 0; i < position >> 5; ++i)
      if (limbs_[at(i)]) return true;
    return (limbs_[at(position >> 5)] & ((std::int64_t{1} << (position & 31)) - 1)) != 0;
  }
  // The bits from `position` upwards; at most 53 are set above it.
  std::uint64_t bits_from(int position) const {
    uint128 window = 0;
    const int first = position >> 5;
    for (int i = 0; i < 4 && first + i < n_limbs; ++i)
      window += static_cast<uint128>(static_cast<std::uint64_t>(limbs_[at(first + i)])) << (32 * i);
    return static_cast<std::uint64_t>(window >> (position & 31));
  }

  std::array<std::int64_t, at(n_limbs)> limbs_{};
  std::uint32_t flags_ = 0;  // 1 NaN, 2 +infinity, 4 -infinity were observed
};

// Sums of V, and of squares of V formed in double.
template <class V>
struct ExactSums;
template <>
struct ExactSums<float> {
  using Sum = ExactSum<-149, 149 + 128>;
  using SquareSum = ExactSum<-298, 298 + 256>;
};
template <>
struct ExactSums<double> {
  using Sum = ExactSum<-1074, 1074 + 1024>;
  using SquareSum = Sum;
};

}  // namespace quern
