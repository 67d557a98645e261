#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/cpu/count_lookup.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <algorithm>
#include <bit>

#include "host/core/processor.hpp"
#include "host/cpu/count_lookup.hpp"

HWY_BEFORE_NAMESPACE();
namespace quern {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t least_lanes = 8;  // with fewer, one value after the other is as quick

std::size_t look_up(const float* in, std::size_t n, const float* HWY_RESTRICT table, float* out, std::uint32_t* HWY_RESTRICT others) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  const std::size_t lanes = hn::Lanes(d);
  static_assert(hn::MaxLanes(d) <= lookup_counts);
  const auto looked_up = hn::LoadU(d, table);
  const auto one = hn::Set(di, 1), last = hn::Set(di, static_cast<std::int32_t>(lanes) - 1);
  const auto n_places = hn::Set(du, static_cast<std::uint32_t>(lanes));
  std::size_t n_others = 0, i = 0;
  for (; lanes >= least_lanes && i + lanes <= n; i += lanes) {
    const auto value = hn::LoadU(d, in + i);
    const auto place = hn::Sub(hn::ConvertTo(di, value), one);
    const auto has_place = hn::Lt(hn::BitCast(du, place), n_places);
    const auto found = hn::TableLookupLanes(looked_up, hn::IndicesFromVec(d, hn::And(place, last)));
    hn::StoreU(hn::IfThenElse(hn::RebindMask(d, has_place), found, value), d, out + i);
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(du, hn::Not(has_place), bytes);
    for (unsigned bits = bytes[0] | static_cast<unsigned>(bytes[1]) << 8U; bits != 0; bits &= bits - 1)
      others[n_others++] = static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(std::countr_zero(bits));
  }
  for (; i < n; ++i) {
    const std::uint32_t place = static_cast<std::uint32_t>(static_cast<std::int32_t>(in[i])) - 1;
    if (place < lookup_counts)
      out[i] = table[place];
    else
      out[others[n_others++] = static_cast<std::uint32_t>(i)] = in[i];
  }
  return n_others;
}

}  // namespace HWY_NAMESPACE
}  // namespace quern
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quern {
namespace {

std::vector<LookupTarget> find_targets() {
  return usable_targets(&LookupTarget::look_up, {"AVX-512", HWY_CHOOSE_AVX3(look_up)}, {"AVX2", HWY_CHOOSE_AVX2(look_up)},
                        {"baseline", &HWY_STATIC_DISPATCH(look_up)});
}

}  // namespace

const std::vector<LookupTarget>& lookup_targets() {
  static const std::vector<LookupTarget> targets = find_targets();
  return targets;
}

std::size_t look_up_counts(const float* in, std::size_t n, const float* table, float* out, std::uint32_t* others) {
  static const LookupTarget target = lookup_targets().front();
  return target.look_up(in, n, table, out, others);
}

}  // namespace quern
#endif
