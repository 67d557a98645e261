#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/aggregate_run.hpp"
#include "cli/sizes.hpp"
#include "cli/suggest.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

constexpr std::size_t most_groups_listed = 1000;

std::vector<GroupFunc> parse_funcs(const std::string& text) {
  static const std::vector<std::string> names{"sum", "mean", "var", "count_nonzero"};
  std::vector<GroupFunc> funcs;
  for (const std::string& word : split_columns(text, "--func")) {
    const auto found = std::find(names.begin(), names.end(), word);
    if (found == names.end()) {
      const std::string guess = suggestion(word, names);
      throw usage_error("bad-value", "--func", "'" + word + "' is none of sum, mean, var and count_nonzero", guess);
    }
    funcs.push_back(static_cast<GroupFunc>(found - names.begin()));
  }
  return funcs;
}

}  // namespace

GroupWants AggregatePlan::wants() const {
  const auto has = [this](GroupFunc func) { return std::find(funcs.begin(), funcs.end(), func) != funcs.end(); };
  const bool var = has(GroupFunc::var);
  return {var || has(GroupFunc::sum) || has(GroupFunc::mean), var, has(GroupFunc::count_nonzero), false};
}

AggregatePlan check_options(const AggregateOptions& options) {
  AggregatePlan plan;
  if (options.by.empty()) throw usage_error("missing-option", "--by", "nothing says which cells belong together", "name a column of obs");
  const std::string& output = options.output;
  if (output.empty()) throw usage_error("missing-option", "--output", "there is nowhere to write to", "name a file with -o");
  plan.by = split_columns(options.by, "--by");
  plan.funcs = parse_funcs(options.func);
  plan.on = parse_values_on(options.on);
  plan.writes_h5ad = output.ends_with(".h5ad");
  if (output != "-" && !plan.writes_h5ad && !output.ends_with(".tsv") && !output.ends_with(".tsv.gz"))
    throw usage_error("unknown-extension", "--output", output + ": neither an h5ad nor a table",
                      "give the file a name that ends in .h5ad, .tsv or .tsv.gz");
  return plan;
}

void warn_of_groups(const CellGroups& groups, const AggregateOutcome& outcome, const AggregatePlan& plan, Session& session) {
  if (outcome.stored.has_nan) session.warn("has-nan", "some values are NaN; the sums they enter are NaN");
  if (outcome.stored.has_infinity) session.warn("has-infinity", "some values are infinite");
  if (outcome.n_ungrouped > 0)
    session.warn("cells-without-label", fmt::format("{} cells have no label and are in no group", format_count(outcome.n_ungrouped)));
  const auto n_single = std::count(groups.n_cells.begin(), groups.n_cells.end(), 1);
  if (n_single > 0 && plan.wants().squares)
    session.warn("single-cells", fmt::format("{} groups have one cell and so no variance: theirs is NaN", format_count(n_single)));
}

void tell(const AggregateOutcome& outcome, const CellGroups& groups, const AggregateOptions& options, const AggregatePlan& plan,
          const std::string& matrix, Session& session) {
  Json listed = Json::array(), funcs = Json::array();
  for (std::size_t i = 0; i < groups.n_cells.size() && i < most_groups_listed; ++i)
    listed.push_back({{"name", groups.name(i)}, {"n_obs", groups.n_cells[i]}});
  std::string words;
  for (const GroupFunc func : plan.funcs) {
    funcs.push_back(name_of(func));
    words += (words.empty() ? "" : ", ") + std::string(name_of(func));
  }
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"nnz", outcome.run.nnz},
                             {"on", plan.on.text()},
                             {"target_sum", plan.on.mapped() ? Json(outcome.target_sum) : Json(nullptr)},
                             {"by", plan.by},
                             {"func", funcs},
                             {"n_groups", groups.n_groups()},
                             {"groups", listed},
                             {"cells_without_label", outcome.n_ungrouped},
                             {"path", options.output}};
  session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} genes, {} stored values\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.shape.n_cols), format_count(outcome.run.nnz)));
  line("values", plan.on.text());
  const auto [least, most] = std::minmax_element(groups.n_cells.begin(), groups.n_cells.end());
  line("groups", fmt::format("{} of {}, with {} to {} cells", format_count(groups.n_groups()), printable(options.by), format_count(*least),
                             format_count(*most)));
  line("of each gene", words);
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), outcome.run.threads,
                          outcome.run.threads == 1 ? "thread" : "threads", passes_in_words(outcome.run.passes)));
  line("written", printable(options.output));
}

}  // namespace quern::cli
