#include "cli/filter_work.hpp"

#include <algorithm>

#include "cli/qc_tables.hpp"
#include "host/cpu/value_mapping.hpp"

namespace quern::cli {
namespace {

// The slot's room for two numbers a row.
double* row_totals_of(const ChunkSlot& slot) { return reinterpret_cast<double*>(slot.packet.block.totals); }
std::int32_t* row_counts_of(const ChunkSlot& slot) { return slot.packet.block.n_nonzero; }

double in_column(double value, bool narrow) { return narrow ? static_cast<double>(static_cast<float>(value)) : value; }

}  // namespace

DecideCells::DecideCells(const DecideOptions& options, std::span<const FilterRule> rules, CellFacts& cells, LeasePool<GeneTally>* tallies)
    : options_(options), rules_(rules), cells_(cells), tallies_(tallies), n_failing_(rules.size()) {
  std::size_t n_sets = 0;
  for (const FilterRule& rule : rules)
    if (rule.measure == Measure::share) n_sets = std::max(n_sets, rule.set + 1);
  for (std::size_t set = 0; set < n_sets; ++set) {
    std::vector<std::uint8_t>& outside = outside_.emplace_back(options.set_members.size());
    for (std::size_t gene = 0; gene < outside.size(); ++gene) outside[gene] = (options.set_members[gene] >> set & 1) == 0;
  }
}

void DecideCells::compute(ChunkSlot& slot) {
  const auto chunk = view_of(slot.chunk, options_.n_vars);
  const auto first = static_cast<std::size_t>(chunk.first_row), n_rows = static_cast<std::size_t>(chunk.n_rows);
  if (!cells_.n_genes.empty()) {
    count_positive(chunk, row_counts_of(slot));
    std::copy_n(row_counts_of(slot), n_rows, cells_.n_genes.begin() + chunk.first_row);
  }
  if (!cells_.counts.empty() || !outside_.empty()) row_totals(chunk, {}, row_totals_of(slot));
  if (!cells_.counts.empty()) std::copy_n(row_totals_of(slot), n_rows, cells_.counts.begin() + chunk.first_row);
  const std::span<std::uint8_t> kept = std::span(cells_.kept).subspan(first, n_rows);
  std::vector<double> shares(outside_.empty() ? 0 : n_rows);
  for (std::size_t which = 0; which < rules_.size(); ++which) {
    const FilterRule& rule = rules_[which];
    if (rule.measure == Measure::share) find_shares(chunk, rule.set, row_totals_of(slot), shares);
    judge(rule, which, slot, shares, kept);
  }
  if (tallies_) tallies_->lease()->observe(chunk, kept);
}

double DecideCells::measured(const FilterRule& rule, const ChunkSlot& slot, std::size_t row, std::span<const double> shares) const {
  if (rule.measure == Measure::genes) return row_counts_of(slot)[row];
  return in_column(rule.measure == Measure::counts ? row_totals_of(slot)[row] : shares[row], options_.narrow_sums);
}

void DecideCells::find_shares(const CsrChunkView<MemorySpace::host>& chunk, std::size_t set, const double* totals,
                              std::span<double> shares) const {
  row_totals(chunk, outside_[set], shares.data());
  for (std::size_t row = 0; row < shares.size(); ++row) shares[row] = percent_of(shares[row], totals[row]);
}

void DecideCells::judge(const FilterRule& rule, std::size_t which, const ChunkSlot& slot, std::span<const double> shares,
                        std::span<std::uint8_t> kept) {
  std::int64_t n_failing = 0;
  for (std::size_t row = 0; row < kept.size(); ++row) {
    if (rule.admits(measured(rule, slot, row, shares))) continue;
    kept[row] = 0;
    ++n_failing;
  }
  const std::scoped_lock lock(mutex_);
  n_failing_[which] += n_failing;
}

}  // namespace quern::cli
