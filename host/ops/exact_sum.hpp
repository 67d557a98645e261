// Sums of floating-point numbers that do not depend on the order: every addend is split over fixed 32-bit positions of an absolute
// exponent grid and added there as integers, so nothing is rounded until the end. The result is the correctly rounded sum.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>

#include "host/ops/host_device.hpp"
#include "host/ops/limb_rounding.hpp"
#include "host/ops/wide_int.hpp"

namespace quern {

// LowestExponent: all addends are multiples of 2^LowestExponent. Bits: all are below 2^(LowestExponent + Bits) in magnitude.
// Plain data; value-initialised it is 0. Up to 2^30 observations between two calls of normalise.
template <int LowestExponent, int Bits>
class ExactSum {
 public:
  static constexpr int lowest_exponent = LowestExponent;
  static constexpr int n_limbs = (Bits + 31) / 32 + 3;  // a shifted significand spans three limbs; one more for carries

  // What an addend adds: to three limbs from `first`, or to the flags.
  struct Addend {
    int first = 0;
    std::int64_t part[3] = {0, 0, 0};
    std::uint32_t flags = 0;
  };
  QUERN_HOST_DEVICE static Addend split(double x) {
    const auto bits = std::bit_cast<std::uint64_t>(x);
    const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
    const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1);
    if (exponent == 0x7ff) return {0, {0, 0, 0}, fraction ? 1U : x > 0 ? 2U : 4U};
    const std::uint64_t significand = exponent ? fraction | std::uint64_t{1} << 52 : fraction;
    // x = significand * 2^(exponent - 1075); the grid counts from LowestExponent.
    return split(significand, (exponent ? exponent : 1) - 1075 - LowestExponent, x < 0);
  }

  void observe(double x) {
    const Addend addend = split(x);
    std::int64_t* limb = &limbs_[addend.first];
    for (int i = 0; i < 3; ++i) limb[i] += addend.part[i];
    flags_ |= addend.flags;
  }
  // For sums that were kept limb by limb elsewhere.
  void add_limb(int i, std::int64_t value) { limbs_[i] += value; }
  void add_flags(std::uint32_t flags) { flags_ |= flags; }

  void combine(ExactSum other) {
    normalise();
    other.normalise();
    for (int i = 0; i < n_limbs; ++i) limbs_[i] += other.limbs_[i];
    flags_ |= other.flags_;
  }

  // Carries into higher limbs, so that as many observations fit again.
  void normalise() { carry_limbs(Limbs{limbs_}, n_limbs); }

  // The sum rounded once, to nearest even.
  double value() const {
    ExactSum sum = *this;
    return rounded_limbs(Limbs{sum.limbs_}, n_limbs, LowestExponent, flags_);
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
  QUERN_HOST_DEVICE static Addend split(std::uint64_t significand, int position, bool negative) {
    if (position < 0) {  // the bits below the grid are zeros, or the type's contract is broken
      significand = position > -64 ? significand >> -position : 0;
      position = 0;
    }
    const uint128 shifted = static_cast<uint128>(significand) << (position & 31);
    const auto low = static_cast<std::int64_t>(static_cast<std::uint64_t>(shifted) & 0xffffffff);
    const auto middle = static_cast<std::int64_t>(static_cast<std::uint64_t>(shifted >> 32) & 0xffffffff);
    const auto high = static_cast<std::int64_t>(static_cast<std::uint64_t>(shifted >> 64));
    const std::int64_t sign = negative ? -1 : 1;
    return {position >> 5, {sign * low, sign * middle, sign * high}, 0};
  }

  struct Limbs {
    std::int64_t* data;
    QUERN_HOST_DEVICE std::int64_t get(int i) const { return data[i]; }
    QUERN_HOST_DEVICE void set(int i, std::int64_t value) const { data[i] = value; }
  };

  std::int64_t limbs_[n_limbs] = {};
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
