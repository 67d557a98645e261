// One run of `quern hvg`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "cli/group_sums.hpp"
#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "host/core/memory.hpp"
#include "host/ops/dispersions.hpp"
#include "io/carry/copy_frame.hpp"
#include "io/tables/text_output.hpp"

namespace quern::cli {

struct HvgOptions {
  std::int64_t n_top = 0, n_bins = 0, test_slots = 0;
  double min_mean = 0.0125, max_mean = 3, min_disp = 0.5, max_disp = std::numeric_limits<double>::infinity();
  std::string flavor = "seurat", on = "stored", batch_key, output, list;
  bool no_provenance = false;
};

// The options, checked.
struct HvgPlan {
  HvgRules rules;
  ValuesOn on;                   // as it was asked for
  ValuesOn computed;             // what is summed: for seurat the values without their logarithm
  bool undo_logarithms = false;  // of stored values
  bool writes_h5ad = false;
};

// Throws usage_error: "two-choices", "bad-number", "bad-value", "unknown-extension".
HvgPlan check_options(const HvgOptions& options, Session& session);

struct HvgOutcome {
  MatrixShape shape;
  HvgGenes genes;
  std::vector<std::string> batches;
  std::vector<std::int64_t> cells_of_batch;
  double target_sum = 0;
  RunReport run;
  ChunkFacts stored;
  std::string digest;
  std::int64_t n_chosen = 0;
};

// The columns of var, in scanpy's order and types; they refer to `genes`.
std::vector<io::NewColumn> hvg_columns(const HvgGenes& genes, std::size_t n_batches);
void write_hvg_table(const HvgGenes& genes, std::size_t n_batches, NameSource& names, io::TextOutput& out);
void write_hvg_list(const HvgGenes& genes, NameSource& names, io::TextOutput& out);
// Over highly_variable (a byte a gene), means, dispersions, dispersions_norm, and with batches the numbers of them (64-bit).
std::string hvg_digest(const HvgGenes& genes);

void warn_of_result(const HvgOutcome& outcome, const HvgOptions& options, const HvgPlan& plan, Session& session);
void tell(const HvgOutcome& outcome, const HvgOptions& options, const HvgPlan& plan, const std::string& matrix, Session& session);

}  // namespace quern::cli
