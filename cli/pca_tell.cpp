#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/pca_run.hpp"
#include "cli/sizes.hpp"
#include "cli/write_plan.hpp"
#include "host/core/error.hpp"
#include "host/ops/components.hpp"
#include "io/carry/copy_text.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::cli {
namespace {

constexpr const char* usual_mask = "highly_variable";

std::vector<double> ratios(const Components& components) {
  std::vector<double> found;
  for (const double value : components.variances) found.push_back(value / components.total_variance);
  return found;
}

std::string in_words(const GeneChoice& genes) { return genes.is_all() ? "all" : genes.mask.empty() ? genes.list : genes.mask; }

}  // namespace

GeneChoice genes_for_pca(const GeneChoice& given, io::Input& input) {
  if (given.mask == "none") return {};
  if (!given.is_all() || input.matrix().name == "raw") return given;
  const auto& columns = input.info().var.columns;
  const bool marked = std::any_of(columns.begin(), columns.end(), [](const io::ColumnInfo& column) { return column.name == usual_mask; });
  return marked ? GeneChoice{{}, std::string("var/") + usual_mask} : given;
}

std::int64_t number_of_components(std::int64_t asked, std::int64_t n_cells, std::int64_t n_genes) {
  if (n_cells < 2) throw input_error("too-few-cells", "pca", fmt::format("{} cells: components need two or more", n_cells));
  if (n_genes < 2)
    throw input_error("too-few-genes", "pca", fmt::format("{} genes: components need two or more", n_genes), "choose more genes");
  const std::int64_t most = std::min(n_cells, n_genes) - 1;
  if (asked > most)
    throw usage_error("too-many-components", "--n-comps",
                      fmt::format("{} components of {} cells and {} genes; there can be {}", asked, n_cells, n_genes, most),
                      fmt::format("give --n-comps {} or less", most));
  return asked > 0 ? asked : std::min(most, usual_components);
}

std::vector<double> loadings_of_all(const Components& components, std::span<const std::uint32_t> genes, std::int64_t n_vars) {
  const auto n = static_cast<std::size_t>(components.n);
  std::vector<double> all(static_cast<std::size_t>(n_vars) * n);
  for (std::size_t place = 0; place < genes.size(); ++place)
    for (std::size_t c = 0; c < n; ++c) all[genes[place] * n + c] = components.loadings[c * genes.size() + place];
  return all;
}

void write_pca(const io::OutputGroup& uns, const PcaOutcome& outcome, const Components& components, const std::string& layer) {
  io::OutputGroup group = io::make_dict(uns, "pca");
  io::OutputGroup params = io::make_dict(group, "params");
  const std::string mask = outcome.genes.mask.empty() ? "" : outcome.genes.mask.substr(std::string("var/").size());
  io::write_flag(params, "zero_center", true);
  io::write_flag(params, "use_highly_variable", mask == usual_mask);
  if (!mask.empty()) io::write_text(params, "mask_var", mask);
  if (layer.starts_with("layers/")) io::write_text(params, "layer", layer.substr(std::string("layers/").size()));
  params.close();
  io::write_array(group, "variance", std::span<const double>(components.variances));
  io::write_array(group, "variance_ratio", std::span<const double>(ratios(components)));
  group.close();
}

void tell(const PcaOutcome& outcome, const Components& components, const std::vector<std::string>& files, const std::string& matrix,
          Session& session) {
  const std::vector<double> shares = ratios(components);
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"n_genes", outcome.n_genes},
                             {"genes", in_words(outcome.genes)},
                             {"values", outcome.n_values},
                             {"n_comps", outcome.n_comps},
                             {"target", outcome.target == 0 ? Json() : Json(outcome.target)},
                             {"route", outcome.route},
                             {"steps", outcome.steps},
                             {"total_variance", components.total_variance},
                             {"variance", components.variances},
                             {"variance_ratio", shares},
                             {"kept_bytes", outcome.kept_bytes},
                             {"files", files},
                             {"file_bytes", outcome.file_bytes}};
  session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} of {} genes ({})\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.n_genes), format_count(outcome.shape.n_cols),
                          printable(in_words(outcome.genes))));
  if (outcome.target != 0) line("values", fmt::format("to a total of {:.10g} a cell", outcome.target));
  line("components", fmt::format("{}, with {:.1f} % of the variance; the first has {:.1f} %", outcome.n_comps,
                                 100 * std::accumulate(shares.begin(), shares.end(), 0.0), 100 * shares.front()));
  const RunReport& run = outcome.run;
  line("run", fmt::format("{}, {} {}, {}", format_seconds(session.report.seconds()), run.threads, run.threads == 1 ? "thread" : "threads",
                          passes_in_words(run.passes)));
  for (const std::string& file : files) line("written", printable(file));
}

}  // namespace quern::cli
