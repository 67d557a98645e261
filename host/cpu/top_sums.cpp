#include "host/cpu/top_sums.hpp"

#include <algorithm>
#include <bit>
#include <functional>

#include "host/cpu/common_counts.hpp"

namespace quern {
namespace {

constexpr std::size_t bins = TopScratch::small;

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

TopScratch::TopScratch(std::int64_t n_vars) : counts(bins), others(other_words(n_vars)) { large.reserve(static_cast<std::size_t>(n_vars)); }
std::size_t TopScratch::bytes(std::int64_t n_vars) {
  return bins * sizeof(std::uint32_t) + static_cast<std::size_t>(n_vars) * sizeof(double) + other_words(n_vars) * sizeof(std::uint64_t);
}

// Nearly all counts are 1, 2 or 3: only the others go into the histogram.
template <class V>
void top_sums_whole(const V* values, std::int32_t n, std::int64_t n_vars, std::span<const std::int32_t> n_top, TopScratch& scratch,
                    Total* out) {
  std::uint32_t* counts = scratch.counts.data();
  scratch.large.clear();
  const CommonCounts common = take_common(values, n, scratch.others.data());
  std::uint32_t highest = 3;  // bin in use
  for (std::size_t word = 0; word < other_words(n); ++word) {
    const V* block = values + 64 * word;
    for (std::uint64_t others = scratch.others[word]; others; others &= others - 1) {
      const auto value = static_cast<std::int32_t>(block[std::countr_zero(others)]);
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
