#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/qc_run.hpp"
#include "cli/sizes.hpp"

namespace quern::cli {
namespace {

Json counts_of(const QcTotals& totals) { return totals.integer_mode ? Json(totals.whole_counts) : Json(totals.real_counts); }

// A median for people: counts are whole or halves, log values are not.
std::string readable(double value) {
  return value == std::int64_t(value) ? format_count(std::int64_t(value)) : fmt::format("{:.6g}", value);
}

std::string for_people(const QcInput& input, const GeneSets& sets, const QcTotals& totals, const RunReport& run, const std::string& backend,
                       Session& session) {
  std::string text = fmt::format("{}, {}: {} cells x {} genes{}\n", printable(session.options.input), printable(input.matrix_name),
                                 format_count(input.shape.n_rows), format_count(input.shape.n_cols),
                                 input.stored < 0 ? ", dense" : ", " + format_count(input.stored) + " stored values");
  const auto line = [&text](const std::string& what, const std::string& value) {
    text += fmt::format("  {:<18} {}\n", printable(what), value);
  };
  line("genes per cell", "median " + readable(totals.median_genes));
  line("counts per cell", "median " + readable(totals.median_counts));
  for (std::size_t q = 0; q < sets.sets.size(); ++q)
    line(sets.sets[q].name,
         fmt::format("median {:.3g} % of a cell's counts ({} genes)", totals.median_percent[q], format_count(sets.sets[q].n_genes)));
  if (totals.n_empty_cells > 0) line("empty cells", format_count(totals.n_empty_cells));
  line("values", totals.integer_mode ? "whole numbers, summed exactly" : "not whole numbers; sums are exact, then rounded once");
  line("run", fmt::format("{}, {:.0f} M values/s, {} {} ({}), {} {}", format_seconds(session.report.seconds()),
                          run.seconds > 0 ? static_cast<double>(run.nnz) / run.seconds / 1e6 : 0.0, run.threads,
                          run.threads == 1 ? "thread" : "threads", backend, run.passes, run.passes == 1 ? "pass" : "passes"));
  return text;
}

}  // namespace

void tell(const QcInput& input, const GeneSets& sets, const QcTotals& totals, const RunReport& run, const std::string& backend,
          const QcOptions& options, Session& session) {
  Json& result = session.report.result();
  result = {{"n_obs", input.shape.n_rows},
            {"n_vars", input.shape.n_cols},
            {"nnz", input.stored < 0 ? Json(nullptr) : Json(input.stored)},
            {"n_nonzero", totals.n_nonzero},
            {"total_counts", counts_of(totals)},
            {"integer", totals.integer_mode},
            {"median_genes_per_cell", totals.median_genes},
            {"median_counts_per_cell", totals.median_counts},
            {"qc_vars", Json::object()}};
  for (std::size_t q = 0; q < sets.sets.size(); ++q)
    result["qc_vars"][sets.sets[q].name] = {{"n_genes", sets.sets[q].n_genes}, {"median_pct", totals.median_percent[q]}};
  session.report.set_digest(totals.digest);
  session.say(for_people(input, sets, totals, run, backend, session));
  for (const std::string& path : {options.cells_out, options.genes_out, options.h5ad_out})
    if (!path.empty()) session.say(fmt::format("  {:<18} {}\n", "written", printable(path)));
}

}  // namespace quern::cli
