#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/filter_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"

namespace quern::cli {
namespace {

Json rules_as_json(const std::vector<FilterRule>& rules, const std::string& list, std::int64_t n_unlisted) {
  Json all = Json::array();
  for (const FilterRule& rule : rules)
    all.push_back({{"rule", rule.option.substr(2)}, {"value", rule.wanted}, {"failing", rule.n_failing}});
  if (!list.empty()) all.push_back({{"rule", "keep"}, {"value", list}, {"failing", n_unlisted}});
  return all;
}

void tell_axis(const std::string& what, std::int64_t kept, std::int64_t all, const std::vector<FilterRule>& rules, const std::string& list,
               std::int64_t n_unlisted, Session& session) {
  session.say(fmt::format("  {:<18} {} of {}\n", what, format_count(kept), format_count(all)));
  const auto line = [&](std::int64_t n, const std::string& why) {
    session.say(fmt::format("  {:<18} {:>9} fail {}\n", "", format_count(n), why));
  };
  for (const FilterRule& rule : rules) line(rule.n_failing, rule.option + " " + printable(rule.wanted));
  if (!list.empty()) line(n_unlisted, "--keep-" + what + " @" + printable(list));
}

}  // namespace

void tell(const FilterOutcome& outcome, const FilterOptions& options, const FilterPlan& plan, const std::string& matrix, Session& session) {
  session.report.result() = {{"n_obs", outcome.kept_cells},
                             {"n_vars", outcome.kept_genes},
                             {"removed_cells", outcome.n_obs - outcome.kept_cells},
                             {"removed_genes", outcome.n_vars - outcome.kept_genes},
                             {"cell_rules", rules_as_json(plan.cell_rules, plan.cells_file, outcome.unlisted_cells)},
                             {"gene_rules", rules_as_json(plan.gene_rules, plan.genes_file, outcome.unlisted_genes)},
                             {"path", options.output},
                             {"file_bytes", outcome.file_bytes}};
  session.report.set_digest(outcome.digest);
  session.say(fmt::format("{}, {}: {} cells x {} genes\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.before.n_rows), format_count(outcome.before.n_cols)));
  tell_axis("cells", outcome.kept_cells, outcome.n_obs, plan.cell_rules, plan.cells_file, outcome.unlisted_cells, session);
  tell_axis("genes", outcome.kept_genes, outcome.n_vars, plan.gene_rules, plan.genes_file, outcome.unlisted_genes, session);
  const RunReport& run = outcome.run;
  session.say(fmt::format("  {:<18} {}, {} {}, {}\n", "run", format_seconds(session.report.seconds()), run.threads,
                          run.threads == 1 ? "thread" : "threads", passes_in_words(run.passes)));
  session.say(
      fmt::format("  {:<18} {}, {}\n", "written", printable(options.output), format_size(static_cast<std::uint64_t>(outcome.file_bytes))));
}

}  // namespace quern::cli
