#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/multiply_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

std::string parse_key(const MultiplyOptions& options) {
  const std::string start = options.transpose ? "varm/" : "obsm/";
  const bool fits = options.key.starts_with(start) && options.key.size() > start.size();
  const std::string name = fits ? options.key.substr(start.size()) : "";
  if (!fits || name.find('/') != std::string::npos)
    throw usage_error("bad-key", "--key", fmt::format("'{}' is no place for this result", options.key),
                      fmt::format("{}NAME holds one row for every {}", start, options.transpose ? "gene" : "cell"));
  return name;
}

}  // namespace

MultiplyPlan check_options(const MultiplyOptions& options) {
  if (options.by.empty())
    throw usage_error("missing-option", "--by", "there is nothing to multiply with", "name an .npy or .tsv with --by");
  if (options.output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
  MultiplyPlan plan;
  plan.on = parse_values_on(options.on);
  const bool is_h5ad = options.output.ends_with(".h5ad");
  if (!is_h5ad && !options.key.empty())
    throw usage_error("bad-key", "--key", "only an h5ad has such places", "name an output that ends in .h5ad");
  if (!is_h5ad) return plan;
  if (options.key.empty())
    throw usage_error("missing-option", "--key", "an h5ad has many places",
                      options.transpose ? "give --key varm/NAME" : "give --key obsm/NAME");
  plan.key = parse_key(options);
  if (options.transpose && !options.genes.is_all())
    throw usage_error("two-choices", options.genes.list.empty() ? "--mask" : "--genes", "varm has a row for every gene",
                      "leave out the choice of genes, or write an .npy or .tsv");
  return plan;
}

void tell(const MultiplyOutcome& outcome, const MultiplyOptions& options, const MultiplyPlan& plan, const DenseFactor& factor,
          const std::string& matrix, Session& session) {
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"nnz", outcome.n_stored < 0 ? Json(nullptr) : Json(outcome.n_stored)},
                             {"on", plan.on.text()},
                             {"target", plan.on.mapped() ? Json(outcome.target) : Json(nullptr)},
                             {"transposed", options.transpose},
                             {"rows", outcome.n_result_rows},
                             {"columns", outcome.n_columns},
                             {"values_multiplied", outcome.nnz},
                             {"by",
                              {{"path", options.by},
                               {"type", factor.type() == ValueType::f32 ? "float32" : "float64"},
                               {"matched", factor.has_names() ? "by name" : "by position"}}},
                             {"key", plan.to_h5ad() ? Json(options.key) : Json(nullptr)},
                             {"path", options.output}};
  session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} genes\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.shape.n_cols)));
  line("values", plan.on.text() + (plan.on.needs_median() ? fmt::format(" ({:.10g})", outcome.target) : ""));
  line("multiplied by",
       fmt::format("{}: {} columns, matched {}", printable(options.by), outcome.n_columns, factor.has_names() ? "by name" : "by position"));
  line("result", fmt::format("{} {} x {}", format_count(outcome.n_result_rows), options.transpose ? "genes" : "cells", outcome.n_columns));
  const RunReport& run = outcome.run;
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), run.threads, run.threads == 1 ? "thread" : "threads",
                          passes_in_words(run.passes)));
  line("written", printable(options.output) + (plan.to_h5ad() ? ", " + printable(options.key) : ""));
}

}  // namespace quern::cli
