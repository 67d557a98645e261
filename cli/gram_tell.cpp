#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/gram_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"
#include "host/ops/gram.hpp"

namespace quern::cli {

GramKind kind_of(const std::string& word) {
  return word == "cov" ? GramKind::covariance : word == "corr" ? GramKind::correlation : GramKind::gram;
}

bool is_exact(std::span<const double> products, std::int64_t n_genes) {
  for (std::int64_t gene = 0; gene < n_genes; ++gene)
    if (!(products[static_cast<std::size_t>(gene * (n_genes + 1))] <= exact_products)) return false;
  return true;
}

std::int64_t finish_products(GramKind kind, std::span<double> products, std::span<const double> sums, std::int64_t n_rows) {
  if (kind == GramKind::gram) return 0;
  const std::size_t n = sums.size();
  const auto rows = static_cast<double>(n_rows);
  std::vector<double> variances(n);
  std::int64_t n_constant = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double square = products[i * (n + 1)];
    variances[i] = variance(square, sums[i], rows);
    if (varies(square, sums[i], rows)) continue;
    ++n_constant;
    if (kind == GramKind::correlation) variances[i] = std::numeric_limits<double>::quiet_NaN();
  }
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < n; ++k) {
      double& value = products[i * n + k];
      value = i == k ? variances[i] : covariance(value, sums[i], sums[k], rows);
      if (kind == GramKind::correlation) value = i == k ? value / value : correlation(value, variances[i], variances[k]);
    }
  return n_constant;
}

void tell(const GramOutcome& outcome, const GramOptions& options, const std::vector<std::string>& files, const std::string& matrix,
          Session& session) {
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"n_genes", outcome.n_genes},
                             {"values", outcome.n_values},
                             {"kind", options.kind},
                             {"on", parse_values_on(options.on).text()},
                             {"target", outcome.target == 0 ? Json() : Json(outcome.target)},
                             {"exact", outcome.exact},
                             {"constant_genes", outcome.n_constant},
                             {"files", files}};
  session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} of {} genes, {} stored values of these\n", printable(session.options.input),
                          printable(matrix), format_count(outcome.shape.n_rows), format_count(outcome.n_genes),
                          format_count(outcome.shape.n_cols), format_count(outcome.n_values)));
  const std::string names[] = {"products", "covariances", "correlations"};
  line(names[static_cast<std::size_t>(kind_of(options.kind))], outcome.exact ? "of whole numbers, exact" : "in 64-bit floats");
  if (outcome.target != 0) line("values", fmt::format("{}, to a total of {:.10g} a cell", options.on, outcome.target));
  const RunReport& run = outcome.run;
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), run.threads, run.threads == 1 ? "thread" : "threads",
                          passes_in_words(run.passes)));
  for (const std::string& file : files) line("written", printable(file));
}

}  // namespace quern::cli
