#include "host/cpu/value_mapping.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <type_traits>

#include "host/cpu/count_lookup.hpp"
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
double total_of(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t row, std::span<const std::uint8_t> left_out) {
  const std::int32_t begin = chunk.offsets[row], n = chunk.offsets[row + 1] - begin;
  const V* values = chunk.values_as<V>() + begin;
  const bool quick = left_out.empty() && chunk.facts.whole && chunk.facts.max_abs * n < exact_in_double;
  return quick ? small_whole_sum(values, n) : any_sum(values, chunk.columns + begin, n, left_out);
}

template <class V>
void totals_of(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> left_out, double* totals) {
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) totals[r] = total_of<V>(chunk, r, left_out);
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

// Rows of at least this many values have their small counts looked up in a table that is made first.
constexpr std::int32_t worth_a_table = 64;

// Small counts many at a time, the few others one by one.
void map_counts(const float* values, std::int32_t n, CountValues<float>& counts, float* out) {
  std::array<float, lookup_counts> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = counts(static_cast<float>(i + 1));
  constexpr std::int32_t piece = 512;
  std::array<std::uint32_t, piece> others;
  for (std::int32_t at = 0; at < n; at += piece) {
    const auto n_here = static_cast<std::size_t>(std::min(piece, n - at));
    const std::size_t n_others = look_up_counts(values + at, n_here, table.data(), out + at, others.data());
    for (std::size_t i = 0; i < n_others; ++i)
      out[at + static_cast<std::int32_t>(others[i])] = counts(out[at + static_cast<std::int32_t>(others[i])]);
  }
}

// One row; Out is what a value is rounded to, Kept what it is kept in.
template <class V, class Out, class Kept>
void map_row(const V* values, std::int32_t n, bool whole, double divisor, const ValueMap& map, CountValues<Out>& counts, Kept* kept) {
  if constexpr (std::is_same_v<V, float> && std::is_same_v<Out, float> && std::is_same_v<Kept, float>)
    if (whole && n >= worth_a_table) return map_counts(values, n, counts, kept);
  if (whole)
    for (std::int32_t i = 0; i < n; ++i) kept[i] = counts(values[i]);
  else
    for (std::int32_t i = 0; i < n; ++i) kept[i] = written_value<Out>(map(static_cast<double>(values[i]), divisor));
}

template <class V>
void note_facts(const V* values, std::int32_t n, ChunkFacts& facts) {
  bool zero = false, negative = false, nan = false, infinite = false;
  V largest = 0;
  for (std::int32_t i = 0; i < n; ++i) {
    const V size = std::abs(values[i]);
    const bool finite = size <= std::numeric_limits<V>::max();
    zero |= values[i] == 0;
    negative |= values[i] < 0;
    nan |= values[i] != values[i];
    infinite |= size > std::numeric_limits<V>::max();
    largest = finite && size > largest ? size : largest;
  }
  facts.merge({false, zero, negative, nan, infinite, static_cast<double>(largest)});
}

template <class V, class Out>
ChunkFacts map_chunk_by_totals(const CsrChunkView<MemorySpace::host>& chunk, double target, const ValueMap& map, V* values) {
  ChunkFacts facts;
  facts.whole = false;
  CountValues<Out> counts(map);
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    const std::int32_t begin = chunk.offsets[r], n = chunk.offsets[r + 1] - begin;
    const double divisor = cell_divisor(total_of<V>(chunk, r, {}), target);
    counts.start_row(r, divisor);
    map_row<V, Out, V>(values + begin, n, chunk.facts.whole, divisor, map, counts, values + begin);
    note_facts(values + begin, n, facts);
  }
  return facts;
}

template <class V, class Out>
void map_all(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, const ValueMap& map, Out* out) {
  const V* values = chunk.values_as<V>();
  CountValues<Out> counts(map);
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    const std::int32_t begin = chunk.offsets[r], end = chunk.offsets[r + 1];
    counts.start_row(r, divisors[r]);
    map_row(values + begin, end - begin, chunk.facts.whole, divisors[r], map, counts, out + begin);
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

ChunkFacts map_by_totals(const CsrChunkView<MemorySpace::host>& chunk, double target, const ValueMap& map, ValueType rounded,
                         void* values) {
  if (chunk.value_type == ValueType::f32) return map_chunk_by_totals<float, float>(chunk, target, map, static_cast<float*>(values));
  if (rounded == ValueType::f32) return map_chunk_by_totals<double, float>(chunk, target, map, static_cast<double*>(values));
  return map_chunk_by_totals<double, double>(chunk, target, map, static_cast<double*>(values));
}

void find_dominant_genes(const CsrChunkView<MemorySpace::host>& chunk, const double* totals, double fraction,
                         std::span<std::uint8_t> seen) {
  if (chunk.value_type == ValueType::f32)
    find_dominant<float>(chunk, totals, fraction, seen);
  else
    find_dominant<double>(chunk, totals, fraction, seen);
}

}  // namespace quern
