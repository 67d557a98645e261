#include "host/cpu/whole_genes.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace quern {
namespace {

constexpr double sum_limit = 1099511627776.0;  // 2^40
constexpr std::size_t most_runs = 4;
constexpr std::int64_t count_limit = std::int64_t{1} << 23;

void add_to_sets(std::uint32_t sets, std::int64_t value, Total* sums) {
  for (; sets; sets &= sets - 1) sums[std::countr_zero(sets)].whole += value;
}

}  // namespace

WholeGenes::WholeGenes(std::span<const std::uint32_t> gene_sets, std::size_t n_genes)
    : gene_sets_(gene_sets), words_(n_genes), wide_(n_genes) {
  for (std::size_t g = 0; g < gene_sets_.size(); ++g) words_[g] = gene_sets_[g] ? in_set : 0;
  find_runs();
}

WholeGene WholeGenes::unpacked(std::uint64_t word) {
  const std::uint64_t content = word & ~in_set;
  return {static_cast<std::int64_t>(content & ((std::uint64_t{1} << count_bit) - 1)), static_cast<std::int64_t>(content >> count_bit)};
}

WholeGene WholeGenes::result(std::size_t gene) const {
  const WholeGene packed = unpacked(words_[gene]);
  return {wide_[gene].sum + packed.sum, wide_[gene].n_nonzero + packed.n_nonzero};
}

void WholeGenes::empty_words() {
  for (std::size_t g = 0; g < words_.size(); ++g) {
    wide_[g] = result(g);
    words_[g] &= in_set;
  }
  sum_bound_ = 0;
  rows_packed_ = 0;
}

bool WholeGenes::make_room(const ChunkFacts& facts, std::int32_t n_rows) {
  const double bound = facts.max_abs * n_rows;
  if (facts.has_negative || bound >= sum_limit || n_rows >= count_limit) return false;
  if (sum_bound_ + bound >= sum_limit || rows_packed_ + n_rows >= count_limit) empty_words();
  sum_bound_ += bound;
  rows_packed_ += n_rows;
  return true;
}

void WholeGenes::find_runs() {
  for (std::size_t g = 0; g < gene_sets_.size(); ++g) {
    if (!gene_sets_[g]) continue;
    const auto gene = static_cast<std::uint32_t>(g);
    if (!runs_.empty() && runs_.back().last + 1 == gene)
      runs_.back().last = gene;
    else
      runs_.push_back({gene, gene});
    if (runs_.size() > most_runs) break;
  }
}

template <class V>
void WholeGenes::add_runs(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums) const {
  for (const Run& run : runs_)
    for (const std::uint32_t* at = std::lower_bound(columns, columns + n, run.first); at != columns + n && *at <= run.last; ++at)
      add_to_sets(gene_sets_[*at], static_cast<std::int32_t>(values[at - columns]), set_sums);
}

template <class V, bool MayHaveZeros, bool TestSets>
RowFold WholeGenes::fold_packed(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums) {
  std::uint64_t* const words = words_.data();
  RowFold row;
  for (std::int32_t i = 0; i < n; ++i) {
    const auto value = static_cast<std::uint32_t>(static_cast<std::int32_t>(values[i]));
    const std::uint64_t counted = MayHaveZeros ? std::uint64_t{value != 0} : 1U;
    if (TestSets && (words[columns[i]] & in_set)) [[unlikely]]
      add_to_sets(gene_sets_[columns[i]], value, set_sums);
    words[columns[i]] += counted << count_bit | value;
    row.total += value;
    if (MayHaveZeros) row.n_nonzero += static_cast<std::int32_t>(counted);
  }
  if (!MayHaveZeros) row.n_nonzero = n;
  if (!TestSets) add_runs(columns, values, n, set_sums);
  return row;
}

template <class V>
RowFold WholeGenes::fold_wide(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums) {
  RowFold row;
  for (std::int32_t i = 0; i < n; ++i) {
    const std::int64_t value = static_cast<std::int32_t>(values[i]);
    WholeGene& gene = wide_[columns[i]];
    const bool counted = value != 0;
    gene.sum += value;
    gene.n_nonzero += counted;
    row.total += value;
    row.n_nonzero += counted;
    if (words_[columns[i]] & in_set) [[unlikely]]
      add_to_sets(gene_sets_[columns[i]], value, set_sums);
  }
  return row;
}

template <class V>
WholeGenes::Fold<V> WholeGenes::fold_for(const ChunkFacts& facts, std::int32_t n_rows) {
  if (!make_room(facts, n_rows)) return &WholeGenes::fold_wide<V>;
  if (runs_.size() > most_runs) return facts.has_zero ? &WholeGenes::fold_packed<V, true, true> : &WholeGenes::fold_packed<V, false, true>;
  return facts.has_zero ? &WholeGenes::fold_packed<V, true, false> : &WholeGenes::fold_packed<V, false, false>;
}

template WholeGenes::Fold<float> WholeGenes::fold_for(const ChunkFacts&, std::int32_t);
template WholeGenes::Fold<double> WholeGenes::fold_for(const ChunkFacts&, std::int32_t);

}  // namespace quern
