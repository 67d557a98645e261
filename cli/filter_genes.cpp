#include "cli/filter_genes.hpp"

namespace quern::cli {

void decide_genes(const GeneTally& total, bool narrow_sums, std::span<FilterRule> rules, GeneFacts& genes) {
  for (std::size_t gene = 0; gene < genes.n_cells.size(); ++gene) genes.n_cells[gene] = total.n_positive(gene);
  for (std::size_t gene = 0; gene < genes.counts.size(); ++gene) genes.counts[gene] = total.sum(gene);
  const auto measured = [&](const FilterRule& rule, std::size_t gene) {
    if (rule.measure == Measure::cells) return static_cast<double>(genes.n_cells[gene]);
    return narrow_sums ? static_cast<double>(static_cast<float>(genes.counts[gene])) : genes.counts[gene];
  };
  for (FilterRule& rule : rules) {
    rule.n_failing = 0;
    for (std::size_t gene = 0; gene < genes.kept.size(); ++gene) {
      if (rule.admits(measured(rule, gene))) continue;
      genes.kept[gene] = 0;
      ++rule.n_failing;
    }
  }
}

}  // namespace quern::cli
