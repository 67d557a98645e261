// One source, compiled for every vector width and chosen at run time; every output has its own sum, so that every width gives the same
// bits.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "host/cpu/row_slices.cpp"
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>

#include "host/core/processor.hpp"
#include "host/cpu/row_slices.hpp"

HWY_BEFORE_NAMESPACE();
namespace quern {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Eight vectors of columns from `rows` on, kept in registers.
void sum_eight(const double* HWY_RESTRICT rows, const std::uint32_t* HWY_RESTRICT starts, const double* HWY_RESTRICT values, std::size_t n,
               double* HWY_RESTRICT out) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0;
  for (std::size_t i = 0; i < n; ++i) {
    const double* HWY_RESTRICT row = rows + starts[i];
    const auto v = hn::Set(d, values[i]);
    s0 = hn::Add(s0, hn::Mul(v, hn::LoadU(d, row)));
    s1 = hn::Add(s1, hn::Mul(v, hn::LoadU(d, row + lanes)));
    s2 = hn::Add(s2, hn::Mul(v, hn::LoadU(d, row + 2 * lanes)));
    s3 = hn::Add(s3, hn::Mul(v, hn::LoadU(d, row + 3 * lanes)));
    s4 = hn::Add(s4, hn::Mul(v, hn::LoadU(d, row + 4 * lanes)));
    s5 = hn::Add(s5, hn::Mul(v, hn::LoadU(d, row + 5 * lanes)));
    s6 = hn::Add(s6, hn::Mul(v, hn::LoadU(d, row + 6 * lanes)));
    s7 = hn::Add(s7, hn::Mul(v, hn::LoadU(d, row + 7 * lanes)));
  }
  hn::StoreU(s0, d, out);
  hn::StoreU(s1, d, out + lanes);
  hn::StoreU(s2, d, out + 2 * lanes);
  hn::StoreU(s3, d, out + 3 * lanes);
  hn::StoreU(s4, d, out + 4 * lanes);
  hn::StoreU(s5, d, out + 5 * lanes);
  hn::StoreU(s6, d, out + 6 * lanes);
  hn::StoreU(s7, d, out + 7 * lanes);
}

void sum_three(const double* HWY_RESTRICT rows, const std::uint32_t* HWY_RESTRICT starts, const double* HWY_RESTRICT values, std::size_t n,
               double* HWY_RESTRICT out) {
  const hn::ScalableTag<double> d;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = s0, s2 = s0;
  for (std::size_t i = 0; i < n; ++i) {
    const double* HWY_RESTRICT row = rows + starts[i];
    const auto v = hn::Set(d, values[i]);
    s0 = hn::Add(s0, hn::Mul(v, hn::LoadU(d, row)));
    s1 = hn::Add(s1, hn::Mul(v, hn::LoadU(d, row + lanes)));
    s2 = hn::Add(s2, hn::Mul(v, hn::LoadU(d, row + 2 * lanes)));
  }
  hn::StoreU(s0, d, out);
  hn::StoreU(s1, d, out + lanes);
  hn::StoreU(s2, d, out + 2 * lanes);
}

void sum_one(const double* HWY_RESTRICT rows, const std::uint32_t* HWY_RESTRICT starts, const double* HWY_RESTRICT values, std::size_t n,
             double* HWY_RESTRICT out) {
  const hn::ScalableTag<double> d;
  auto sum = hn::Zero(d);
  for (std::size_t i = 0; i < n; ++i) sum = hn::Add(sum, hn::Mul(hn::Set(d, values[i]), hn::LoadU(d, rows + starts[i])));
  hn::StoreU(sum, d, out);
}

void sum_slices(const double* HWY_RESTRICT rows, const std::uint32_t* HWY_RESTRICT starts, const double* HWY_RESTRICT values, std::size_t n,
                std::size_t width, double* HWY_RESTRICT out) {
  const std::size_t lanes = hn::Lanes(hn::ScalableTag<double>());
  std::size_t c = 0;
  for (; c + 8 * lanes <= width; c += 8 * lanes) sum_eight(rows + c, starts, values, n, out + c);
  for (; c + 3 * lanes <= width; c += 3 * lanes) sum_three(rows + c, starts, values, n, out + c);
  for (; c < width; c += lanes) sum_one(rows + c, starts, values, n, out + c);
}

}  // namespace HWY_NAMESPACE
}  // namespace quern
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace quern {
namespace {

std::vector<RowSliceTarget> find_targets() {
  return usable_targets(&RowSliceTarget::sum, {"AVX-512", HWY_CHOOSE_AVX3(sum_slices)}, {"AVX2", HWY_CHOOSE_AVX2(sum_slices)},
                        {"baseline", &HWY_STATIC_DISPATCH(sum_slices)});
}

const RowSliceTarget& widest() {
  static const RowSliceTarget target = row_slice_targets().front();
  return target;
}

}  // namespace

const std::vector<RowSliceTarget>& row_slice_targets() {
  static const std::vector<RowSliceTarget> targets = find_targets();
  return targets;
}

void sum_row_slices(const double* rows, const std::uint32_t* starts, const double* values, std::size_t n, std::size_t width, double* out) {
  widest().sum(rows, starts, values, n, width, out);
}

}  // namespace quern
#endif
