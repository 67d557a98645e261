#include "host/cpu/group_fold.hpp"

#include <limits>

namespace quern {

std::size_t GroupFold::bytes(std::int64_t n_groups, std::int64_t n_genes, GroupWants wants) {
  const std::size_t each = (wants.sums ? sizeof(Sum) : 0) + (wants.squares ? sizeof(Sum) : 0) +
                           sizeof(std::uint32_t) * (std::size_t{wants.nonzero} + std::size_t{wants.positive});
  const uint128 all = static_cast<uint128>(n_groups) * static_cast<uint128>(n_genes) * each;
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 4;
  return all > most ? most : static_cast<std::size_t>(all);
}

GroupFold::GroupFold(std::int64_t n_groups, std::int64_t n_genes, GroupWants wants, MemoryBudget& budget)
    : n_genes_(static_cast<std::size_t>(n_genes)), wants_(wants), claim_(budget.claim("sums of groups", bytes(n_groups, n_genes, wants))) {
  const std::size_t n = static_cast<std::size_t>(n_groups) * n_genes_;
  if (wants.sums) sums_.resize(n);
  if (wants.squares) squares_.resize(n);
  if (wants.nonzero) nonzero_.resize(n);
  if (wants.positive) positive_.resize(n);
  restart();
}

void GroupFold::restart() {
  whole_ = true;
  for (auto* sums : {&sums_, &squares_})
    for (Sum& sum : *sums) sum.whole = 0;
  for (auto* counts : {&nonzero_, &positive_}) counts->assign(counts->size(), 0);
}

void GroupFold::become_real() {
  for (auto* sums : {&sums_, &squares_})
    for (Sum& sum : *sums) sum.real = DoubleDouble::of(sum.whole);
  whole_ = false;
}

void GroupFold::add(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::int32_t> group_of) {
  if (whole_ && !chunk.facts.whole) become_real();
  if (chunk.value_type == ValueType::f32)
    add_rows<float>(chunk, group_of);
  else
    add_rows<double>(chunk, group_of);
}

template <class V>
void GroupFold::add_rows(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::int32_t> group_of) {
  const bool all_nonzero = !chunk.facts.has_zero;
  const bool all_positive = all_nonzero && !chunk.facts.has_negative && !chunk.facts.has_nan;
  for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
    const std::int32_t group = group_of.empty() ? 0 : group_of[static_cast<std::size_t>(r)], begin = chunk.offsets[r],
                       n = chunk.offsets[r + 1] - begin;
    if (group < 0) continue;
    const std::uint32_t* columns = chunk.columns + begin;
    const V* values = chunk.values_as<V>() + begin;
    const std::size_t base = at(group, 0);
    if (whole_)
      add_whole(columns, values, n, base);
    else
      add_real(columns, values, n, base);
    const auto count = [&](std::uint32_t* counts, bool all, auto counted) {
      if (all)
        for (std::int32_t i = 0; i < n; ++i) ++counts[columns[i]];
      else
        for (std::int32_t i = 0; i < n; ++i) counts[columns[i]] += counted(values[i]);
    };
    if (wants_.nonzero) count(nonzero_.data() + base, all_nonzero, [](V value) { return value != 0; });
    if (wants_.positive) count(positive_.data() + base, all_positive, [](V value) { return value > 0; });
  }
}

template <class V>
void GroupFold::add_whole(const std::uint32_t* columns, const V* values, std::int32_t n, std::size_t base) {
  if (wants_.sums)
    for (std::int32_t i = 0; i < n; ++i) sums_[base + columns[i]].whole += static_cast<std::int32_t>(values[i]);
  if (!wants_.squares) return;
  for (std::int32_t i = 0; i < n; ++i) {
    const std::int64_t value = static_cast<std::int32_t>(values[i]);
    squares_[base + columns[i]].whole += value * value;
  }
}

template <class V>
void GroupFold::add_real(const std::uint32_t* columns, const V* values, std::int32_t n, std::size_t base) {
  if (wants_.sums)
    for (std::int32_t i = 0; i < n; ++i) sums_[base + columns[i]].real.add(static_cast<double>(values[i]));
  if (!wants_.squares) return;
  for (std::int32_t i = 0; i < n; ++i) {
    const auto value = static_cast<double>(values[i]);
    DoubleDouble& squares = squares_[base + columns[i]].real;
    if constexpr (sizeof(V) == sizeof(float))  // whose squares doubles hold
      squares.add(value * value);
    else
      squares.add_square(value);
  }
}

Total GroupFold::sum(std::int64_t group, std::int64_t gene) const {
  const Sum& sum = sums_[at(group, gene)];
  Total total{};
  if (whole_)
    total.whole = static_cast<std::int64_t>(sum.whole);
  else
    total.real = sum.real.high;
  return total;
}

double GroupFold::real_sum(std::int64_t group, std::int64_t gene) const {
  const Total total = sum(group, gene);
  return whole_ ? static_cast<double>(total.whole) : total.real;
}

double GroupFold::mean(std::int64_t group, std::int64_t gene, std::int64_t n_cells) const {
  const Sum& sum = sums_[at(group, gene)];
  if (whole_) return finish_whole(static_cast<std::int64_t>(sum.whole), 0, n_cells).mean;
  if (!std::isfinite(sum.real.high)) return sum.real.high;
  return finish_real(sum.real.precise(), 0, n_cells).mean;
}

MeanVar GroupFold::mean_var(std::int64_t group, std::int64_t gene, std::int64_t n_cells) const {
  const Sum &sum = sums_[at(group, gene)], &squares = squares_[at(group, gene)];
  if (whole_) return finish_whole(static_cast<std::int64_t>(sum.whole), squares.whole, n_cells);
  if (!std::isfinite(sum.real.high)) return {sum.real.high, not_a_number};
  MeanVar result = finish_real(sum.real.precise(), squares.real.precise(), n_cells);
  // What the sums of squares cannot tell from a constant: 32-bit values that differ at all differ by more.
  constexpr double resolution = 0x1p-90;
  if (result.var * static_cast<double>(n_cells) < squares.real.high * resolution) result.var = 0;
  if (!std::isfinite(squares.real.high) && n_cells > 1) result.var = squares.real.high;
  return result;
}

}  // namespace quern
