// One source, compiled for every vector width and chosen at run time; only comparisons, so that every width gives the same answer.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/cpu/common_counts.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "host/core/processor.hpp"
#include "host/cpu/common_counts.hpp"

HWY_BEFORE_NAMESPACE();
namespace quern {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int32_t block_length = 64;

template <class D>
std::uint64_t bits_of(D d, hn::Mask<D> mask) {
  std::uint64_t bits = 0;
  std::array<std::uint8_t, 8> bytes{};
  hn::StoreMaskBits(d, mask, bytes.data());
  std::memcpy(&bits, bytes.data(), sizeof bits);
  return bits;
}

// Of block_length values; their bits are returned.
template <class V>
std::uint64_t take_block(const V* HWY_RESTRICT values, CommonCounts& common) {
  const hn::ScalableTag<V> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto one = hn::Set(d, V{1}), two = hn::Set(d, V{2}), three = hn::Set(d, V{3});
  std::uint64_t others = 0;
  for (std::size_t i = 0; i < block_length; i += lanes) {
    const auto x = hn::LoadU(d, values + i);
    const auto is_one = hn::Eq(x, one), is_two = hn::Eq(x, two), is_three = hn::Eq(x, three);
    common.ones += static_cast<std::int32_t>(hn::CountTrue(d, is_one));
    common.twos += static_cast<std::int32_t>(hn::CountTrue(d, is_two));
    common.threes += static_cast<std::int32_t>(hn::CountTrue(d, is_three));
    others |= bits_of(d, hn::Not(hn::Or(is_one, hn::Or(is_two, is_three)))) << i;
  }
  return others;
}

template <class V>
CommonCounts take_all(const V* values, std::int32_t n, std::uint64_t* others) {
  CommonCounts common;
  std::int32_t i = 0;
  for (; i + block_length <= n; i += block_length) *others++ = take_block(values + i, common);
  if (i < n) {
    std::array<V, block_length> last{};  // zeros, which are others: their bits are taken away
    std::copy(values + i, values + n, last.data());
    *others = take_block(last.data(), common) & ((std::uint64_t{1} << (n - i)) - 1);
  }
  return common;
}

CommonCounts take_floats(const float* values, std::int32_t n, std::uint64_t* others) { return take_all(values, n, others); }
CommonCounts take_doubles(const double* values, std::int32_t n, std::uint64_t* others) { return take_all(values, n, others); }

}  // namespace HWY_NAMESPACE
}  // namespace quern
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quern {
namespace {

std::vector<CommonTarget> find_targets() {
  return usable_targets(&CommonTarget::floats, {"AVX-512", HWY_CHOOSE_AVX3(take_floats), HWY_CHOOSE_AVX3(take_doubles)},
                        {"AVX2", HWY_CHOOSE_AVX2(take_floats), HWY_CHOOSE_AVX2(take_doubles)},
                        {"baseline", &HWY_STATIC_DISPATCH(take_floats), &HWY_STATIC_DISPATCH(take_doubles)});
}

const CommonTarget& widest() {
  static const CommonTarget target = common_targets().front();
  return target;
}

}  // namespace

const std::vector<CommonTarget>& common_targets() {
  static const std::vector<CommonTarget> targets = find_targets();
  return targets;
}

CommonCounts take_common(const float* values, std::int32_t n, std::uint64_t* others) { return widest().floats(values, n, others); }
CommonCounts take_common(const double* values, std::int32_t n, std::uint64_t* others) { return widest().doubles(values, n, others); }

}  // namespace quern
#endif
