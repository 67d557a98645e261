#include "host/cpu/top_sums.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>

namespace quern {
namespace {

constexpr std::size_t bins = TopScratch::small;
constexpr std::int32_t block_length = 64;

// Hands out values in falling order, `count` times each, and notes the running sum as each n of n_top is reached.
class WholeCollector {
 public:
  WholeCollector(std::span<const std::int32_t> n_top, Total* out) : n_top_(n_top), out_(out) {}
  bool done() const { return next_ == n_top_.size(); }
  void take(std::int64_t value, std::int64_t count) {
    while (!done() && taken_ + count >= n_top_[next_]) {
      const std::int64_t part = n_top_[next_] - taken_;
      out_[next_++].whole = sum_ + part * value;
    }
    taken_ += count;
    sum_ += value * count;
  }

 private:
  std::span<const std::int32_t> n_top_;
  Total* out_;
  std::size_t next_ = 0;
  std::int64_t taken_ = 0, sum_ = 0;
};

}  // namespace

TopScratch::TopScratch(std::int64_t n_vars) : counts(bins) { large.reserve(static_cast<std::size_t>(n_vars)); }
std::size_t TopScratch::bytes(std::int64_t n_vars) {
  return bins * sizeof(std::uint32_t) + static_cast<std::size_t>(n_vars) * sizeof(double);
}

// The most common counts, taken out of a block of values without a branch a value.
struct Common {
  std::int32_t ones = 0, twos = 0, threes = 0;

  // Counts them among up to 64 values; bit i of the result: values[i] is another.
  template <class V>
  std::uint64_t take(const V* values, std::int32_t n) {
    std::array<std::uint8_t, block_length> others{};
    if (n == block_length)
      take_fixed<block_length>(values, n, others.data());
    else
      take_fixed<0>(values, n, others.data());
    std::uint64_t bits = 0;
    for (std::size_t byte = 0; byte < 8; ++byte) {
      std::uint64_t eight;
      std::memcpy(&eight, others.data() + 8 * byte, 8);
      bits |= eight * 0x0102040810204080ULL >> 56 << 8 * byte;  // the lowest bits of eight bytes side by side
    }
    return bits;
  }

 private:
  template <std::int32_t Fixed, class V>
  void take_fixed(const V* values, std::int32_t n, std::uint8_t* others) {
    const std::int32_t length = Fixed ? Fixed : n;
    for (std::int32_t i = 0; i < length; ++i) {
      ones += values[i] == V{1};
      twos += values[i] == V{2};
      threes += values[i] == V{3};
    }
    for (std::int32_t i = 0; i < length; ++i) others[i] = !((values[i] == V{1}) | (values[i] == V{2}) | (values[i] == V{3}));
  }
};

// Nearly all counts are 1, 2 or 3: only the others go into the histogram.
template <class V>
void top_sums_whole(const V* values, std::int32_t n, std::int64_t n_vars, std::span<const std::int32_t> n_top, TopScratch& scratch,
                    Total* out) {
  std::uint32_t* counts = scratch.counts.data();
  scratch.large.clear();
  Common common;
  std::uint32_t highest = 3;  // bin in use
  for (std::int32_t first = 0; first < n; first += block_length) {
    std::uint64_t others = common.take(values + first, std::min(block_length, n - first));
    for (; others; others &= others - 1) {
      const auto value = static_cast<std::int32_t>(values[first + std::countr_zero(others)]);
      if (static_cast<std::uint32_t>(value) < bins) [[likely]] {
        ++counts[value];
        highest = std::max(highest, static_cast<std::uint32_t>(value));
      } else {
        scratch.large.push_back(static_cast<double>(value));  // above the bins, or negative
      }
    }
  }
  counts[1] = static_cast<std::uint32_t>(common.ones);
  counts[2] = static_cast<std::uint32_t>(common.twos);
  counts[3] = static_cast<std::uint32_t>(common.threes);
  WholeCollector collector(n_top, out);
  std::sort(scratch.large.begin(), scratch.large.end(), std::greater<>());
  auto next = scratch.large.begin();
  for (; next != scratch.large.end() && *next > 0 && !collector.done(); ++next) collector.take(static_cast<std::int64_t>(*next), 1);
  for (std::size_t value = highest; value > 0 && !collector.done(); --value)
    if (counts[value]) collector.take(static_cast<std::int64_t>(value), counts[value]);
  if (!collector.done()) collector.take(0, n_vars - n + counts[0]);
  std::fill_n(counts, highest + 1, 0U);
  for (; next != scratch.large.end() && !collector.done(); ++next) collector.take(static_cast<std::int64_t>(*next), 1);
}

// NaN ranks above everything, as in numpy's sorting, so that a sum that reaches it is NaN.
template <class V>
void top_sums_real(const V* values, std::int32_t n, std::int64_t n_vars, std::span<const std::int32_t> n_top, TopScratch& scratch,
                   Total* out) {
  if (n_top.empty()) return;
  scratch.large.assign(values, values + n);
  const auto above = [](double a, double b) { return a > b || (a != a && b == b); };
  const std::size_t wanted = std::min<std::size_t>(static_cast<std::size_t>(n_top.back()), scratch.large.size());
  std::partial_sort(scratch.large.begin(), scratch.large.begin() + static_cast<std::ptrdiff_t>(wanted), scratch.large.end(), above);
  typename ExactSums<V>::Sum sum;
  std::int64_t taken = 0, zeros_left = n_vars - n;
  std::size_t next = 0;
  for (std::size_t k = 0; k < n_top.size(); ++k) {
    for (; taken < n_top[k]; ++taken) {
      const bool stored_first = next < scratch.large.size() && (zeros_left == 0 || !(scratch.large[next] < 0));
      if (stored_first)
        sum.observe(scratch.large[next++]);
      else
        --zeros_left;
    }
    out[k].real = sum.value();
  }
}

template void top_sums_whole(const float*, std::int32_t, std::int64_t, std::span<const std::int32_t>, TopScratch&, Total*);
template void top_sums_whole(const double*, std::int32_t, std::int64_t, std::span<const std::int32_t>, TopScratch&, Total*);
template void top_sums_real(const float*, std::int32_t, std::int64_t, std::span<const std::int32_t>, TopScratch&, Total*);
template void top_sums_real(const double*, std::int32_t, std::int64_t, std::span<const std::int32_t>, TopScratch&, Total*);

}  // namespace quern
