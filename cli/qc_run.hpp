// One run of `quern qc`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/qc_sets.hpp"
#include "cli/qc_summary.hpp"
#include "cli/session.hpp"
#include "host/core/chunk_source.hpp"
#include "host/ops/op_spec.hpp"
#include "host/pipeline/pipeline.hpp"
#include "io/input.hpp"

namespace quern::cli {

struct QcOptions {
  std::vector<std::string> qc_vars;
  std::string percent_top = "50,100,200,500";
  bool moments = false, legacy_names = false;
  std::string cells_out, genes_out, h5ad_out;
  std::int64_t test_slots = 0;  // 0: chosen by the pipeline
  bool no_provenance = false;
};

// "50,100" or "none", ascending and without repeats. Throws usage_error("bad-number").
std::vector<std::int64_t> parse_percent_top(const std::string& text);
// Leaves out what is larger than n_vars, with a warning.
std::vector<std::int32_t> usable_percent_top(const std::vector<std::int64_t>& wanted, std::int64_t n_vars, Session& session);

// Everything that is known once the input is open and before a value has been read.
struct QcInput {
  std::string matrix_name;
  MatrixShape shape;
  std::int64_t stored = -1;  // entries on disk, -1: dense
  bool has_raw = false;
};

// Warnings that the names call for (no mitochondrial genes ...), and those that the values call for.
void warn_of_names(const std::vector<GeneSetRule>& rules, const GeneSets& sets, Session& session);
void warn_of_values(const ChunkFacts& facts, bool integer_mode, const QcInput& input, Session& session);

// Fills the result, run and digest of the report and the summary for people.
void tell(const QcInput& input, const GeneSets& sets, const QcTotals& totals, const RunReport& run, const std::string& backend,
          const QcOptions& options, Session& session);

// --dry-run: the plan, the memory table and the least memory that will do.
void tell_plan(ChunkSource& source, const Backend& backend, const OpSpec& ops, const MemoryBudget& budget, const PipelineOptions& pipeline,
               const QcOptions& options, Session& session);

}  // namespace quern::cli
