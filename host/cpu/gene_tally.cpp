#include "host/cpu/gene_tally.hpp"

#include <cmath>

namespace quern {
namespace {

constexpr std::int64_t rows_between_carries = std::int64_t{1} << 29;  // well below what ExactSum allows

template <class V>
std::int32_t n_above_zero(const V* values, std::int32_t n) {
  std::int32_t count = 0;
  for (std::int32_t i = 0; i < n; ++i) count += values[i] > 0;
  return count;
}

template <class V>
void count_in_rows(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t* n_positive) {
  for (std::int32_t r = 0; r < chunk.n_rows; ++r)
    n_positive[r] = n_above_zero(chunk.values_as<V>() + chunk.offsets[r], chunk.offsets[r + 1] - chunk.offsets[r]);
}

// A whole number of any size, in two parts that doubles hold.
template <class Sum>
void observe_whole(Sum& sum, std::int64_t whole) {
  const std::int64_t low = whole % (std::int64_t{1} << 32);
  sum.observe(static_cast<double>(low));
  sum.observe(static_cast<double>(whole - low));
}

template <class T>
void add(std::vector<T>& to, const std::vector<T>& from) {
  if (from.empty()) return;
  to.resize(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if constexpr (std::is_integral_v<T>)
      to[i] += from[i];
    else
      to[i].combine(from[i]);
  }
}

}  // namespace

std::size_t GeneTally::bytes(std::int64_t n_genes, GeneTallyWants wants, bool whole, ValueType type) {
  std::size_t each = wants.positive ? sizeof(std::uint32_t) : 0;
  if (wants.sums) each += sizeof(std::int64_t);
  if (wants.sums && !whole) each += type == ValueType::f32 ? sizeof(NarrowSum) : sizeof(WideSum);
  return each * static_cast<std::size_t>(n_genes);
}

void GeneTally::observe(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> kept) {
  if (chunk.value_type == ValueType::f32)
    observe_values<float>(chunk, kept);
  else
    observe_values<double>(chunk, kept);
  if (!wants_.sums || chunk.facts.whole) return;
  if (chunk.value_type == ValueType::f32)
    observe_reals(chunk, kept, narrow_);
  else
    observe_reals(chunk, kept, wide_);
}

template <class V>
void GeneTally::observe_values(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> kept) {
  const V* values = chunk.values_as<V>();
  const bool sums = wants_.sums && chunk.facts.whole;
  if (sums) whole_.resize(n_genes_);
  const bool all_positive = !chunk.facts.has_zero && !chunk.facts.has_negative && !chunk.facts.has_nan;
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    if (kept[static_cast<std::size_t>(r)] == 0) continue;
    const std::int32_t begin = chunk.offsets[r], end = chunk.offsets[r + 1];
    if (wants_.positive && all_positive)
      for (std::int32_t i = begin; i < end; ++i) ++positive_[chunk.columns[i]];
    else if (wants_.positive)
      for (std::int32_t i = begin; i < end; ++i) positive_[chunk.columns[i]] += values[i] > 0;
    if (sums)
      for (std::int32_t i = begin; i < end; ++i) whole_[chunk.columns[i]] += static_cast<std::int32_t>(values[i]);
  }
}

template <class Sum>
void GeneTally::observe_reals(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> kept, std::vector<Sum>& sums) {
  sums.resize(n_genes_);
  rows_since_carry_ += chunk.n_rows;
  if (rows_since_carry_ > rows_between_carries) {
    for (Sum& sum : sums) sum.normalise();
    rows_since_carry_ = chunk.n_rows;
  }
  const bool narrow = chunk.value_type == ValueType::f32;
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    if (kept[static_cast<std::size_t>(r)] == 0) continue;
    for (std::int32_t i = chunk.offsets[r]; i < chunk.offsets[r + 1]; ++i)
      sums[chunk.columns[i]].observe(narrow ? static_cast<double>(chunk.values_as<float>()[i]) : chunk.values_as<double>()[i]);
  }
}

void GeneTally::combine(const GeneTally& other) {
  add(positive_, other.positive_);
  add(whole_, other.whole_);
  add(narrow_, other.narrow_);
  add(wide_, other.wide_);
}

double GeneTally::sum(std::size_t gene) const {
  const std::int64_t whole = whole_.empty() ? 0 : whole_[gene];
  if (narrow_.empty() && wide_.empty()) return static_cast<double>(whole);
  const auto with_whole = [&](auto total) {
    total.normalise();
    observe_whole(total, whole);
    return total.value();
  };
  return narrow_.empty() ? with_whole(wide_[gene]) : with_whole(narrow_[gene]);
}

void count_positive(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t* n_positive) {
  if (chunk.value_type == ValueType::f32)
    count_in_rows<float>(chunk, n_positive);
  else
    count_in_rows<double>(chunk, n_positive);
}

}  // namespace quern
