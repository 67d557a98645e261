// Which genes stay, once the tallies of all threads are in.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cli/filter_run.hpp"
#include "host/cpu/gene_tally.hpp"

namespace quern::cli {

// The vectors are of all genes, or empty where no rule asks.
struct GeneFacts {
  std::vector<std::uint8_t> kept;  // in: by the list; out: by the rules, too
  std::vector<std::int64_t> n_cells;
  std::vector<double> counts;
};

// `total` is the tally of all kept cells; `narrow_sums` as in DecideOptions. Counts each rule's n_failing.
void decide_genes(const GeneTally& total, bool narrow_sums, std::span<FilterRule> rules, GeneFacts& genes);

// Leaves those whose flag is not 0.
template <class T>
void leave_kept(std::vector<T>& values, std::span<const std::uint8_t> kept) {
  std::size_t to = 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (kept[i] != 0) values[to++] = values[i];
  values.resize(to);
}

}  // namespace quern::cli
