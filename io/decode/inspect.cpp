// What values and columns are like, at the speed of the cache: one source, compiled for every vector width and chosen at run time.
// Only comparisons and maxima, so that every width gives the same answer.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "io/decode/inspect.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/core/processor.hpp"
#include "io/decode/inspect.hpp"

HWY_BEFORE_NAMESPACE();
namespace quern::io {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Sticky masks over all lanes seen so far.
template <class D>
struct Marks {
  using Vec = hn::Vec<D>;
  explicit Marks(D d) : zero(hn::Zero(d)), negative(zero), fraction(zero), largest(zero) {}
  void observe(D d, Vec x) {
    const Vec magnitude = hn::Abs(x);
    zero = hn::Or(zero, hn::VecFromMask(d, hn::Eq(x, hn::Zero(d))));
    negative = hn::Or(negative, hn::VecFromMask(d, hn::Lt(x, hn::Zero(d))));
    // Not (rounded == x and |x| < 2^31): true for NaN and infinities too.
    const auto whole = hn::And(hn::Eq(hn::Round(x), x), hn::Lt(magnitude, hn::Set(d, hn::TFromD<D>(2147483648.0))));
    fraction = hn::Or(fraction, hn::VecFromMask(d, hn::Not(whole)));
    largest = hn::Max(largest, magnitude);
  }
  Vec zero, negative, fraction, largest;
};

template <class D>
bool any(D, hn::Vec<D> marks) {
  const hn::RebindToUnsigned<D> du;
  return !hn::AllFalse(du, hn::Ne(hn::BitCast(du, marks), hn::Zero(du)));
}

template <class V>
ChunkFacts inspect_all(const V* HWY_RESTRICT values, std::size_t n) {
  const hn::ScalableTag<V> d;
  const std::size_t lanes = hn::Lanes(d);
  Marks<decltype(d)> marks(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) marks.observe(d, hn::LoadU(d, values + i));
  if (i < n) {
    HWY_ALIGN V last[HWY_MAX_BYTES / sizeof(V)];
    for (std::size_t k = 0; k < lanes; ++k) last[k] = values[i + k < n ? i + k : i];  // the rest repeats a value already seen
    marks.observe(d, hn::Load(d, last));
  }
  ChunkFacts facts;
  facts.whole = !any(d, marks.fraction);
  facts.has_zero = any(d, marks.zero);
  facts.has_negative = any(d, marks.negative);
  facts.max_abs = static_cast<double>(hn::GetLane(hn::MaxOfLanes(d, marks.largest)));
  return facts;
}

ChunkFacts inspect_floats(const float* values, std::size_t n) { return inspect_all(values, n); }
ChunkFacts inspect_doubles(const double* values, std::size_t n) { return inspect_all(values, n); }

bool ascending(const std::uint32_t* HWY_RESTRICT columns, std::size_t n) {
  const hn::ScalableTag<std::uint32_t> d;
  const std::size_t lanes = hn::Lanes(d);
  auto marks = hn::Zero(d);
  std::size_t i = 1;
  for (; i + lanes <= n; i += lanes)
    marks = hn::Or(marks, hn::VecFromMask(d, hn::Not(hn::Lt(hn::LoadU(d, columns + i - 1), hn::LoadU(d, columns + i)))));
  unsigned descents = any(d, marks);
  for (; i < n; ++i) descents |= static_cast<unsigned>(columns[i] <= columns[i - 1]);
  return descents == 0;
}

}  // namespace HWY_NAMESPACE
}  // namespace quern::io
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quern::io {
namespace {

std::vector<InspectTarget> find_targets() {
  return usable_targets(
      &InspectTarget::floats, {"AVX-512", HWY_CHOOSE_AVX3(inspect_floats), HWY_CHOOSE_AVX3(inspect_doubles), HWY_CHOOSE_AVX3(ascending)},
      {"AVX2", HWY_CHOOSE_AVX2(inspect_floats), HWY_CHOOSE_AVX2(inspect_doubles), HWY_CHOOSE_AVX2(ascending)},
      {"baseline", &HWY_STATIC_DISPATCH(inspect_floats), &HWY_STATIC_DISPATCH(inspect_doubles), &HWY_STATIC_DISPATCH(ascending)});
}

const InspectTarget& widest() {
  static const InspectTarget target = inspect_targets().front();
  return target;
}

// Chunks that are not whole numbers may hold NaN and infinities, on which the vector maximum says nothing.
template <class V>
void inspect_specials(const V* values, std::size_t n, ChunkFacts& facts) {
  facts.max_abs = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double magnitude = std::abs(static_cast<double>(values[i]));
    facts.has_nan |= std::isnan(magnitude);
    facts.has_infinity |= std::isinf(magnitude);
    if (std::isfinite(magnitude) && magnitude > facts.max_abs) facts.max_abs = magnitude;
  }
}

template <class V>
ChunkFacts with_specials(ChunkFacts facts, const V* values, std::size_t n) {
  if (!facts.whole) inspect_specials(values, n, facts);
  return facts;
}

}  // namespace

const std::vector<InspectTarget>& inspect_targets() {
  static const std::vector<InspectTarget> targets = find_targets();
  return targets;
}

bool is_ascending(const std::uint32_t* columns, std::size_t n) { return widest().ascending(columns, n); }
ChunkFacts inspect(const float* values, std::size_t n) { return inspect(values, n, widest()); }
ChunkFacts inspect(const double* values, std::size_t n) { return inspect(values, n, widest()); }
ChunkFacts inspect(const float* values, std::size_t n, const InspectTarget& target) {
  return with_specials(target.floats(values, n), values, n);
}
ChunkFacts inspect(const double* values, std::size_t n, const InspectTarget& target) {
  return with_specials(target.doubles(values, n), values, n);
}

}  // namespace quern::io
#endif
