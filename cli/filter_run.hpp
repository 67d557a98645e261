// One run of `quern filter`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "cli/qc_sets.hpp"
#include "cli/session.hpp"
#include "host/core/chunk_source.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/h5ad_write/compression.hpp"

namespace quern::cli {

constexpr std::int64_t no_limit = -1;
constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

struct FilterOptions {
  std::int64_t min_genes = no_limit, max_genes = no_limit, min_cells = no_limit, max_cells = no_limit;
  double min_counts = no_number, max_counts = no_number, min_gene_counts = no_number, max_gene_counts = no_number;
  std::vector<std::string> max_pct, qc_vars;
  std::string keep_cells, keep_genes, output, compression;
  bool no_provenance = false;
  std::int64_t test_slots = 0;
};

// What a rule looks at: of a cell its genes above 0, its sum, a set's share of the sum in percent; of a gene its cells above 0, its sum.
enum class Measure { genes, counts, share, cells, gene_counts };

// One bound, inclusive as scanpy's. NaN satisfies none.
struct FilterRule {
  std::string option, wanted;  // as it is told: "--min-genes", "200"
  Measure measure = Measure::genes;
  bool is_least = true;
  double bound = 0;
  std::size_t set = 0;         // Measure::share: which of the gene sets
  std::int64_t n_failing = 0;  // cells of the input, or genes over the kept cells
  bool admits(double value) const { return is_least ? value >= bound : value <= bound; }
};

// The options, checked.
struct FilterPlan {
  std::vector<FilterRule> cell_rules, gene_rules;
  std::vector<GeneSetRule> sets;  // those whose shares are asked for
  std::string cells_file, genes_file;
  std::optional<io::Compression> compression;
  bool looks_at(Measure measure) const;
  bool needs_values() const { return !cell_rules.empty() || !gene_rules.empty(); }
  int passes() const { return needs_values() ? 2 : 1; }  // over the matrix: one to decide, one to write
};

// Throws usage_error: "missing-option", "bad-number", "bad-list", "bad-compression", "two-choices", "bad-max-pct" and parse_qc_vars' own.
FilterPlan check_options(const FilterOptions& options);

struct FilterOutcome {
  MatrixShape before;                  // of the matrix that decided
  std::int64_t n_obs = 0, n_vars = 0;  // of the input
  std::int64_t kept_cells = 0, kept_genes = 0;
  std::int64_t unlisted_cells = 0, unlisted_genes = 0;  // not in the lists
  std::int64_t nnz = 0, file_bytes = 0;
  std::string digest;
  std::optional<CacheFacts> cache;
  RunReport run;  // of all passes; facts: of the values that decided
};

// usage_error("nothing-left").
void require_some(const std::string& what, std::int64_t n_kept, std::int64_t n_all, const std::vector<FilterRule>& rules,
                  std::int64_t n_unlisted);
void tell(const FilterOutcome& outcome, const FilterOptions& options, const FilterPlan& plan, const std::string& matrix, Session& session);

}  // namespace quern::cli
