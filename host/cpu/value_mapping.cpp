#include "host/cpu/value_mapping.hpp"

#include <array>
#include <atomic>

#include "host/ops/exact_sum.hpp"

namespace quern {
namespace {

constexpr double exact_in_double = 9007199254740992.0;  // 2^53

// Whole numbers whose sums all stay below 2^53: exact in any order, so several sums at once.
template <class V>
double small_whole_sum(const V* values, std::int32_t n) {
  std::array<double, 8> sums{};
  std::int32_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += static_cast<double>(values[i + static_cast<std::int32_t>(k)]);
  for (; i < n; ++i) sums[0] += static_cast<double>(values[i]);
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

template <class V>
double any_sum(const V* values, const std::uint32_t* columns, std::int32_t n, std::span<const std::uint8_t> left_out) {
  typename ExactSums<V>::Sum sum;
  for (std::int32_t i = 0; i < n; ++i)
    if (left_out.empty() || left_out[columns[i]] == 0) sum.observe(static_cast<double>(values[i]));
  return sum.value();
}

template <class V>
void totals_of(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> left_out, double* totals) {
  const V* values = chunk.values_as<V>();
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    const std::int32_t begin = chunk.offsets[r], n = chunk.offsets[r + 1] - begin;
    const bool quick = left_out.empty() && chunk.facts.whole && chunk.facts.max_abs * n < exact_in_double;
    totals[r] = quick ? small_whole_sum(values + begin, n) : any_sum(values + begin, chunk.columns + begin, n, left_out);
  }
}

// A count gives one value in all of a row: worked out when it is first met. 0 is left to the map, which knows its sign.
template <class Out>
class CountValues {
 public:
  explicit CountValues(const ValueMap& map) : map_(map) {}
  void start_row(std::int32_t row, double divisor) {
    row_ = row;
    divisor_ = divisor;
  }
  template <class V>
  Out operator()(V value) {
    const auto place = static_cast<std::uint32_t>(static_cast<std::int32_t>(value)) - 1;
    if (place >= values_.size()) return written_value<Out>(map_(static_cast<double>(value), divisor_));
    if (rows_[place] != row_) {
      rows_[place] = row_;
      values_[place] = written_value<Out>(map_(static_cast<double>(value), divisor_));
    }
    return values_[place];
  }

 private:
  static constexpr std::size_t n_counts = 255;
  static constexpr std::array<std::int32_t, n_counts> no_rows() {
    std::array<std::int32_t, n_counts> rows{};
    rows.fill(-1);
    return rows;
  }
  ValueMap map_;
  std::int32_t row_ = -1;
  double divisor_ = 1;
  std::array<std::int32_t, n_counts> rows_ = no_rows();  // whose value it is
  std::array<Out, n_counts> values_{};
};

template <class V, class Out>
void map_all(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, const ValueMap& map, Out* out) {
  const V* values = chunk.values_as<V>();
  CountValues<Out> counts(map);
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    const std::int32_t begin = chunk.offsets[r], end = chunk.offsets[r + 1];
    counts.start_row(r, divisors[r]);
    if (chunk.facts.whole)
      for (std::int32_t i = begin; i < end; ++i) out[i] = counts(values[i]);
    else
      for (std::int32_t i = begin; i < end; ++i) out[i] = written_value<Out>(map(static_cast<double>(values[i]), divisors[r]));
  }
}

template <class V>
void map_from(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, const ValueMap& map, ValueType out_type, void* out) {
  if (out_type == ValueType::f32)
    map_all<V>(chunk, divisors, map, static_cast<float*>(out));
  else
    map_all<V>(chunk, divisors, map, static_cast<double*>(out));
}

template <class V>
void find_dominant(const CsrChunkView<MemorySpace::host>& chunk, const double* totals, double fraction, std::span<std::uint8_t> seen) {
  const V* values = chunk.values_as<V>();
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    const double limit = fraction * totals[r];
    for (std::int32_t i = chunk.offsets[r]; i < chunk.offsets[r + 1]; ++i)
      if (static_cast<double>(values[i]) > limit) std::atomic_ref(seen[chunk.columns[i]]).store(1, std::memory_order_relaxed);
  }
}

}  // namespace

void row_totals(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> left_out, double* totals) {
  if (chunk.value_type == ValueType::f32)
    totals_of<float>(chunk, left_out, totals);
  else
    totals_of<double>(chunk, left_out, totals);
}

void map_values(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, const ValueMap& map, ValueType out_type, void* out) {
  if (chunk.value_type == ValueType::f32)
    map_from<float>(chunk, divisors, map, out_type, out);
  else
    map_from<double>(chunk, divisors, map, out_type, out);
}

void find_dominant_genes(const CsrChunkView<MemorySpace::host>& chunk, const double* totals, double fraction,
                         std::span<std::uint8_t> seen) {
  if (chunk.value_type == ValueType::f32)
    find_dominant<float>(chunk, totals, fraction, seen);
  else
    find_dominant<double>(chunk, totals, fraction, seen);
}

}  // namespace quern
