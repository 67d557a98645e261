// One run of `quern multiply`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/dense_factor.hpp"
#include "cli/gene_choice.hpp"
#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "host/core/chunk_source.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern::cli {

struct MultiplyOptions {
  std::string by, output, key, on = "stored";
  bool transpose = false, no_provenance = false;
  GeneChoice genes;
  std::int64_t test_slots = 0;
};

// The options, checked.
struct MultiplyPlan {
  ValuesOn on;
  std::string key;  // in obsm or varm; empty: a file of its own
  bool to_h5ad() const { return !key.empty(); }
};

// Throws usage_error: "missing-option", "unknown-extension", "bad-key", "two-choices", what parse_values_on throws.
MultiplyPlan check_options(const MultiplyOptions& options);

struct MultiplyOutcome {
  MatrixShape shape;  // of the genes that take part
  std::int64_t n_result_rows = 0, n_columns = 0, n_stored = 0, nnz = 0, file_bytes = 0;
  double target = 0, write_seconds = 0;  // target 0: stored values
  std::string digest;
  RunReport run;
};

void tell(const MultiplyOutcome& outcome, const MultiplyOptions& options, const MultiplyPlan& plan, const DenseFactor& factor,
          const std::string& matrix, Session& session);

}  // namespace quern::cli
