#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "cli/normalize_run.hpp"
#include "cli/qc_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

double parse_target(const std::string& text) {
  if (text.empty() || text == "median") return 0;
  double value = 0;
  std::size_t used = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (used != text.size() || !std::isfinite(value) || value <= 0)
    throw usage_error("bad-number", "--target-sum", "'" + text + "' is neither median nor a number above 0");
  return value;
}

}  // namespace

NormalizePlan check_options(const NormalizeOptions& options) {
  if (options.cpm && !options.target_sum.empty())
    throw usage_error("two-choices", "--cpm", "--target-sum is given, too", "give one of them");
  if (options.no_log1p && options.base != 0) throw usage_error("two-choices", "--base", "--no-log1p is given, too", "give one of them");
  if (options.base != 0 && (!std::isfinite(options.base) || options.base <= 0 || options.base == 1))
    throw usage_error("bad-number", "--base", "a base of logarithms is above 0 and not 1");
  if (!(options.max_fraction > 0 && options.max_fraction < 1))
    throw usage_error("bad-number", "--max-fraction", "expected a number between 0 and 1");
  for (const auto& [option, name] : {std::pair{"--key-added", options.key_added}, {"--counts-layer", options.counts_layer}})
    if (name.find('/') != std::string::npos) throw usage_error("bad-value", option, "a name in an h5ad holds no slash");
  if (options.key_added == "_index") throw usage_error("bad-value", "--key-added", "this name is reserved");
  NormalizePlan plan;
  plan.target_sum = options.cpm ? 1e6 : parse_target(options.target_sum);
  plan.map.logarithm = !options.no_log1p;
  if (options.base != 0) plan.map.log_of_base = std::log(options.base);
  plan.compression = io::parse_compression(options.compression);
  return plan;
}

std::int64_t added_bytes(const io::FileInfo& info, const io::MatrixInfo& matrix, const NormalizeOptions& options,
                         const NormalizePlan& plan) {
  const auto stored = [](const io::MatrixInfo& m) { return m.data.bytes_on_disk + m.indices.bytes_on_disk + m.indptr.bytes_on_disk; };
  const bool has_x = !info.matrices.empty() && info.matrices.front().name == "X";
  const std::int64_t before = has_x ? stored(info.matrices.front()) : 0;
  const std::int64_t plain = std::max<std::int64_t>(matrix.nnz, 0) * (matrix.data.type == "float64" ? 12 : 8);
  std::int64_t after = plain;
  if (plan.compression.packing != io::Packing::none) after = matrix.data.filters.empty() ? plain / 4 : stored(matrix);
  return after - before + (options.counts_layer.empty() ? 0 : stored(matrix));
}

void warn_before_normalizing(const io::FileInfo& info, Session& session) {
  const auto uns = info.keys.find("uns");
  if (uns != info.keys.end() && std::find(uns->second.begin(), uns->second.end(), "log1p") != uns->second.end())
    session.warn("already-log1p", "uns/log1p says that the matrix is log-transformed already");
}

void warn_after_normalizing(const NormalizeOutcome& outcome, const io::FileInfo& info, const std::string& matrix, Session& session) {
  warn_of_values(outcome.run.facts, outcome.run.facts.whole, {matrix, outcome.shape, outcome.nnz, info.has_raw}, session);
  if (outcome.n_empty > 0)
    session.warn("zero-counts", fmt::format("{} cells have a total of 0 and stay as they are", format_count(outcome.n_empty)));
  if (outcome.n_made_nan == 0) return;
  const std::string n = outcome.n_made_nan == 1 ? "1 value" : format_count(outcome.n_made_nan) + " values";
  session.warn("made-nan", n + " became NaN: the matrix looks scaled or log-transformed, and only counts can be normalized");
}

void tell(const NormalizeOutcome& outcome, const NormalizeOptions& options, const NormalizePlan& plan, const std::string& matrix,
          Session& session) {
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"nnz", outcome.nnz},
                             {"target_sum", outcome.target_sum},
                             {"log1p", plan.map.logarithm},
                             {"excluded_genes", outcome.n_excluded},
                             {"zero_count_cells", outcome.n_empty},
                             {"nan_values", outcome.n_made_nan},
                             {"indices", outcome.copied_indices ? "copied" : "written"},
                             {"path", options.output},
                             {"file_bytes", outcome.file_bytes}};
  session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} genes, {} stored values\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.shape.n_cols), format_count(outcome.nnz)));
  line("target", fmt::format("{:.10g} counts a cell{}", outcome.target_sum, plan.target_sum == 0 ? " (the median)" : ""));
  if (options.exclude_highly_expressed) line("left out of totals", fmt::format("{} genes", format_count(outcome.n_excluded)));
  line("values", !plan.map.logarithm ? "no logarithm" : options.base == 0 ? "log1p" : fmt::format("log1p to base {:g}", options.base));
  const RunReport& run = outcome.run;
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), run.threads, run.threads == 1 ? "thread" : "threads",
                          passes_in_words(run.passes)));
  line("written", fmt::format("{}, {}", printable(options.output), format_size(static_cast<std::uint64_t>(outcome.file_bytes))));
}

}  // namespace quern::cli
