// Which statistics a run computes. Plain data: no backend, no meaning (the meanings are the states beside this file).
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/csr_chunk.hpp"

namespace quern {

// Per-cell statistics: n_genes_by_counts, total_counts, sums of the largest, sums over gene sets.
struct RowStats {
  std::vector<std::int32_t> percent_top;  // ascending, each 1 .. n_vars
};

// Per-gene statistics: n_cells_by_counts, total_counts; with moments also mean and var (ddof 1) of the values and of log1p CPM.
struct ColumnStats {
  bool moments = false;
};

constexpr int max_gene_sets = 32;

// What one pass computes. gene_sets[g] has bit q set when gene g belongs to qc_var q.
struct OpSpec {
  RowStats rows;
  ColumnStats columns;
  std::span<const std::uint32_t> gene_sets;  // n_vars entries, not owned: they outlive every run
  int n_gene_sets = 0;                       // <= max_gene_sets
  // true: every value is a whole number with |x| < 2^31 and sums are exact integers; a chunk whose facts say otherwise
  // makes the run throw NeedsGeneralMode. false: sums are exact and correctly rounded to double (host/ops/exact_sum.hpp).
  bool integer_mode = true;
  ValueType value_type = ValueType::f32;  // of the chunks of this pass
};

}  // namespace quern
