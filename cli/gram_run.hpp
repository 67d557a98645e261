// One run of `quern gram`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/gene_choice.hpp"
#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern::cli {

enum class GramKind { gram, covariance, correlation };

struct GramOptions {
  GeneChoice genes;
  std::string kind = "gram", on = "stored", output;
  std::int64_t test_slots = 0;
};

GramKind kind_of(const std::string& word);  // "gram", "cov", "corr"

struct GramOutcome {
  MatrixShape shape;
  std::int64_t n_genes = 0, n_values = 0, n_constant = 0;
  bool exact = false;  // whole numbers whose products and sums all fit a double
  double target = 0;   // of --on; 0: stored values
  std::string digest;
  RunReport run;
};

// Replaces products by covariances or correlations, in place: `sums` of each gene over n_rows rows. Returns how many genes do not vary;
// their correlations are NaN.
std::int64_t finish_products(GramKind kind, std::span<double> products, std::span<const double> sums, std::int64_t n_rows);
// Whether no product was rounded, of values that are all whole.
bool is_exact(std::span<const double> products, std::int64_t n_genes);

void tell(const GramOutcome& outcome, const GramOptions& options, const std::vector<std::string>& files, const std::string& matrix,
          Session& session);

}  // namespace quern::cli
