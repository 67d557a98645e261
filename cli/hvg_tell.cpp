#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/hvg_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

bool has_own_bounds(const HvgOptions& options) {
  const HvgOptions usual;
  return options.min_mean != usual.min_mean || options.max_mean != usual.max_mean || options.min_disp != usual.min_disp ||
         options.max_disp != usual.max_disp;
}

// seurat looks at values without their logarithm, which on-the-fly values need not get first.
void plan_values(HvgPlan& plan) {
  plan.computed = plan.on;
  if (plan.rules.flavor != HvgFlavor::seurat) return;
  if (plan.on.kind == ValuesOn::Kind::counts_per)
    throw usage_error("bad-value", "--on", "the flavor seurat is made for logarithms, which " + plan.on.text() + " are not",
                      "give log1p instead of counts-per, or --flavor cell_ranger");
  plan.undo_logarithms = !plan.on.mapped();
  if (plan.on.mapped()) plan.computed.kind = ValuesOn::Kind::counts_per;
}

Json finite_or_null(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

HvgPlan check_options(const HvgOptions& options, Session& session) {
  HvgPlan plan;
  plan.rules = {options.flavor == "seurat" ? HvgFlavor::seurat : HvgFlavor::cell_ranger,
                options.n_bins > 0 ? static_cast<int>(std::min<std::int64_t>(options.n_bins, 1000000)) : 20,
                options.n_top,
                options.min_mean,
                options.max_mean,
                options.min_disp,
                options.max_disp};
  for (const auto& [name, bound] : {std::pair{"--min-mean", options.min_mean},
                                    {"--max-mean", options.max_mean},
                                    {"--min-disp", options.min_disp},
                                    {"--max-disp", options.max_disp}})
    if (std::isnan(bound)) throw usage_error("bad-number", name, "nan is no bound");
  if (options.n_bins > 0 && plan.rules.flavor == HvgFlavor::cell_ranger)
    throw usage_error("two-choices", "--n-bins", "the bins of cell_ranger lie between its own percentiles", "leave --n-bins out");
  if (options.n_top > 0 && has_own_bounds(options))
    session.warn("bounds-ignored", "with --n-top the bounds of means and dispersions have no say");
  plan.on = parse_values_on(options.on);
  plan_values(plan);
  const std::string& output = options.output;
  plan.writes_h5ad = output.ends_with(".h5ad");
  if (!output.empty() && output != "-" && !plan.writes_h5ad && !output.ends_with(".tsv") && !output.ends_with(".tsv.gz"))
    throw usage_error("unknown-extension", "--output", output + ": neither an h5ad nor a table",
                      "give the file a name that ends in .h5ad, .tsv or .tsv.gz");
  return plan;
}

void warn_of_result(const HvgOutcome& outcome, const HvgOptions& options, const HvgPlan& plan, Session& session) {
  if (!plan.on.mapped() && outcome.stored.whole && outcome.run.nnz > 0)
    session.warn(
        "looks-like-counts",
        "the values are all whole numbers: they look like counts, and hvg expects logarithms; --on log1p:1e4 takes them on the fly");
  const auto n_known = std::count_if(outcome.genes.dispersions_norm.begin(), outcome.genes.dispersions_norm.end(),
                                     [](double norm) { return !std::isnan(norm); });
  if (options.n_top > n_known && options.batch_key.empty())
    session.warn("fewer-genes",
                 fmt::format("--n-top {}: only {} genes have a normalised dispersion", format_count(options.n_top), format_count(n_known)));
  if (outcome.n_chosen == 0) session.warn("no-genes-chosen", "no gene is highly variable by these rules");
}

void tell(const HvgOutcome& outcome, const HvgOptions& options, const HvgPlan& plan, const std::string& matrix, Session& session) {
  Json batches = Json::array();
  for (std::size_t i = 0; i < outcome.batches.size(); ++i)
    batches.push_back({{"name", outcome.batches[i]}, {"n_obs", outcome.cells_of_batch[i]}});
  const bool top = options.n_top > 0;
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"nnz", outcome.run.nnz},
                             {"on", plan.on.text()},
                             {"target_sum", plan.on.mapped() ? Json(outcome.target_sum) : Json(nullptr)},
                             {"flavor", options.flavor},
                             {"n_top", top ? Json(options.n_top) : Json(nullptr)},
                             {"n_bins", plan.rules.n_bins},
                             {"min_mean", top ? Json(nullptr) : Json(options.min_mean)},
                             {"max_mean", top ? Json(nullptr) : finite_or_null(options.max_mean)},
                             {"min_disp", top ? Json(nullptr) : Json(options.min_disp)},
                             {"max_disp", top ? Json(nullptr) : finite_or_null(options.max_disp)},
                             {"batch_key", options.batch_key.empty() ? Json(nullptr) : Json(options.batch_key)},
                             {"batches", batches},
                             {"highly_variable", outcome.n_chosen},
                             {"path", options.output.empty() ? Json(nullptr) : Json(options.output)}};
  session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} genes, {} stored values\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.shape.n_cols), format_count(outcome.run.nnz)));
  line("values", plan.on.text());
  line("flavor", options.flavor);
  if (!outcome.batches.empty()) line("batches", fmt::format("{} of {}", outcome.batches.size(), printable(options.batch_key)));
  line("highly variable", fmt::format("{} genes", format_count(outcome.n_chosen)));
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), outcome.run.threads,
                          outcome.run.threads == 1 ? "thread" : "threads", passes_in_words(outcome.run.passes)));
  for (const std::string& path : {options.output, options.list})
    if (!path.empty()) line("written", printable(path));
}

}  // namespace quern::cli
