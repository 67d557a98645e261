#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/filter_run.hpp"
#include "cli/name_list.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

void add_count(std::vector<FilterRule>& rules, const char* option, Measure measure, bool is_least, std::int64_t bound) {
  if (bound != no_limit) rules.push_back({option, std::to_string(bound), measure, is_least, static_cast<double>(bound)});
}

void add_number(std::vector<FilterRule>& rules, const char* option, Measure measure, bool is_least, double bound) {
  if (!std::isnan(bound)) rules.push_back({option, fmt::format("{}", bound), measure, is_least, bound});
}

void refuse_empty_range(const char* least, double from, const char* most, double to) {
  if (from > to) throw usage_error("bad-number", most, fmt::format("{} is below {} {}", to, least, from));
}

double percent_from(const std::string& text, const std::string& word) {
  double value = 0;
  std::size_t used = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  if (text.empty() || used != text.size() || !(value >= 0 && value <= 100))
    throw usage_error("bad-max-pct", "--max-pct " + word, "'" + text + "' is no number between 0 and 100", "--max-pct NAME=PERCENT");
  return value;
}

// The sets that shares are asked of, in the order of their first rule.
void add_shares(const FilterOptions& options, FilterPlan& plan) {
  std::vector<std::string> words = options.qc_vars;
  words.insert(words.begin(), "ribo");
  const std::vector<GeneSetRule> known = parse_qc_vars(words);
  for (const std::string& word : options.max_pct) {
    const auto equals = word.rfind('=');
    if (equals == std::string::npos || equals == 0)
      throw usage_error("bad-max-pct", "--max-pct " + word, "names no set of genes", "--max-pct NAME=PERCENT");
    const std::string name = word.substr(0, equals), text = word.substr(equals + 1);
    const double bound = percent_from(text, word);
    const auto same_name = [&](const GeneSetRule& rule) { return rule.name == name; };
    const auto found = std::find_if(known.begin(), known.end(), same_name);
    if (found == known.end())
      throw usage_error("bad-max-pct", "--max-pct " + word, "no set of genes is called " + name,
                        "mt and ribo are ready-made; say what others are: --qc-vars " + name + "=REGEX or " + name + "=@FILE");
    auto set = std::find_if(plan.sets.begin(), plan.sets.end(), same_name);
    if (set == plan.sets.end()) set = plan.sets.insert(plan.sets.end(), *found);
    FilterRule rule{"--max-pct", name + "=" + text, Measure::share, false, bound};
    rule.set = static_cast<std::size_t>(set - plan.sets.begin());
    plan.cell_rules.push_back(rule);
  }
}

}  // namespace

bool FilterPlan::looks_at(Measure measure) const {
  const auto uses = [&](const FilterRule& rule) { return rule.measure == measure; };
  return std::any_of(cell_rules.begin(), cell_rules.end(), uses) || std::any_of(gene_rules.begin(), gene_rules.end(), uses);
}

FilterPlan check_options(const FilterOptions& options) {
  FilterPlan plan;
  add_count(plan.cell_rules, "--min-genes", Measure::genes, true, options.min_genes);
  add_count(plan.cell_rules, "--max-genes", Measure::genes, false, options.max_genes);
  add_number(plan.cell_rules, "--min-counts", Measure::counts, true, options.min_counts);
  add_number(plan.cell_rules, "--max-counts", Measure::counts, false, options.max_counts);
  add_count(plan.gene_rules, "--min-cells", Measure::cells, true, options.min_cells);
  add_count(plan.gene_rules, "--max-cells", Measure::cells, false, options.max_cells);
  add_number(plan.gene_rules, "--min-gene-counts", Measure::gene_counts, true, options.min_gene_counts);
  add_number(plan.gene_rules, "--max-gene-counts", Measure::gene_counts, false, options.max_gene_counts);
  if (options.max_genes != no_limit)
    refuse_empty_range("--min-genes", static_cast<double>(options.min_genes), "--max-genes", static_cast<double>(options.max_genes));
  if (options.max_cells != no_limit)
    refuse_empty_range("--min-cells", static_cast<double>(options.min_cells), "--max-cells", static_cast<double>(options.max_cells));
  refuse_empty_range("--min-counts", options.min_counts, "--max-counts", options.max_counts);
  refuse_empty_range("--min-gene-counts", options.min_gene_counts, "--max-gene-counts", options.max_gene_counts);
  if (!options.max_pct.empty()) add_shares(options, plan);
  if (!options.keep_cells.empty()) plan.cells_file = list_file(options.keep_cells, "--keep-cells");
  if (!options.keep_genes.empty()) plan.genes_file = list_file(options.keep_genes, "--keep-genes");
  if (!plan.needs_values() && plan.cells_file.empty() && plan.genes_file.empty())
    throw usage_error("missing-option", "filter", "nothing says what is kept", "for example --min-genes 200 --min-cells 3");
  if (!options.compression.empty()) plan.compression = io::parse_compression(options.compression);
  return plan;
}

void require_some(const std::string& what, std::int64_t n_kept, std::int64_t n_all, const std::vector<FilterRule>& rules,
                  std::int64_t n_unlisted) {
  if (n_kept > 0) return;
  std::string why;
  for (const FilterRule& rule : rules) why += fmt::format(", {} fail {} {}", rule.n_failing, rule.option, rule.wanted);
  if (n_unlisted > 0) why += fmt::format(", {} are not listed", n_unlisted);
  throw usage_error("nothing-left", what, fmt::format("none of {} is left{}", n_all, why), "keep more of them");
}

}  // namespace quern::cli
