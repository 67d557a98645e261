#include "host/ops/dispersions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "host/core/error.hpp"
#include "host/ops/double_double.hpp"
#include "host/ops/expm1_log.hpp"
#include "host/ops/gene_states.hpp"
#include "host/ops/log1p.hpp"

namespace quern {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double mad_scale = 0.6744897501960817;  // the upper quartile of the normal distribution
constexpr int no_bin = -1;

struct BinNorm {
  double average = not_a_number, deviation = not_a_number;
};

std::vector<double> equal_widths(const std::vector<double>& means, int n_bins) {
  double low = infinity, high = -infinity;
  for (const double mean : means) {
    if (std::isinf(mean))
      throw input_error("infinite-means", "means", "the mean of some genes is infinite once the logarithm is undone",
                        "the values look like counts: --on log1p:1e4 takes logarithms on the fly");
    low = std::min(low, mean);
    high = std::max(high, mean);
  }
  const bool all_the_same = low == high;
  if (all_the_same) {  // as pandas widens what has no width
    low -= low != 0 ? 0.001 * std::abs(low) : 0.001;
    high += high != 0 ? 0.001 * std::abs(high) : 0.001;
  }
  const double step = (high - low) / n_bins;
  std::vector<double> edges;
  for (int i = 0; i < n_bins; ++i) edges.push_back(low + i * step);
  edges.push_back(high);
  if (!all_the_same) edges.front() -= (high - low) * 0.001;
  return edges;
}

// Linear between the two nearest, as numpy has it.
double percentile(const std::vector<double>& sorted, double percent) {
  const double at = static_cast<double>(sorted.size() - 1) * (percent / 100);
  const auto below = static_cast<std::size_t>(at);
  const double low = sorted[below], high = sorted[std::min(below + 1, sorted.size() - 1)], part = at - static_cast<double>(below);
  return part < 0.5 ? low + (high - low) * part : high - (high - low) * (1 - part);
}

std::vector<double> percentiles(std::vector<double> means) {
  std::sort(means.begin(), means.end());
  std::vector<double> edges{-infinity};
  for (int percent = 10; percent <= 100; percent += 5) edges.push_back(percentile(means, percent));
  edges.push_back(infinity);
  if (std::adjacent_find(edges.begin(), edges.end(), [](double a, double b) { return !(a < b); }) != edges.end())
    throw input_error("equal-bins", "means", "so many genes have the same mean that the bins of cell_ranger have no width",
                      "leave out genes that no cell has: quern filter --min-cells 1");
  return edges;
}

// The bin of each gene: above edge i, up to and with edge i + 1.
std::vector<int> bins_of(const std::vector<double>& means, const std::vector<double>& edges) {
  std::vector<int> bins;
  for (const double mean : means) {
    const auto above = std::lower_bound(edges.begin(), edges.end(), mean) - edges.begin();
    const bool outside = above == 0 || above == static_cast<std::ptrdiff_t>(edges.size());
    bins.push_back(outside ? no_bin : static_cast<int>(above) - 1);
  }
  return bins;
}

double median_of(std::vector<double>& values) {
  if (values.empty()) return not_a_number;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

// Values that are not NaN. One value has no deviation: the bin's norm is then 1.
BinNorm mean_and_deviation(const std::vector<double>& values) {
  BinNorm norm;
  if (values.empty()) return norm;
  DoubleDouble sum, squares;
  for (const double value : values) sum.add(value);
  norm.average = sum.high / static_cast<double>(values.size());
  for (const double value : values) squares.add((value - norm.average) * (value - norm.average));
  if (values.size() > 1) norm.deviation = std::sqrt(squares.high / static_cast<double>(values.size() - 1));
  if (std::isnan(norm.deviation)) norm = {0, norm.average};
  return norm;
}

BinNorm median_and_mad(std::vector<double> values, bool any_nan) {
  BinNorm norm;
  norm.average = median_of(values);
  if (any_nan) return norm;
  for (double& value : values) value = std::abs(value - norm.average);
  norm.deviation = median_of(values) / mad_scale;
  return norm;
}

std::vector<BinNorm> norms_of(const std::vector<double>& dispersions, const std::vector<int>& bins, std::size_t n_bins, HvgFlavor flavor) {
  std::vector<std::vector<double>> of_bin(n_bins);
  std::vector<std::uint8_t> any_nan(n_bins);
  for (std::size_t gene = 0; gene < bins.size(); ++gene) {
    if (bins[gene] == no_bin) continue;
    const auto bin = static_cast<std::size_t>(bins[gene]);
    if (std::isnan(dispersions[gene]))
      any_nan[bin] = 1;
    else
      of_bin[bin].push_back(dispersions[gene]);
  }
  std::vector<BinNorm> norms;
  for (std::size_t bin = 0; bin < n_bins; ++bin)
    norms.push_back(flavor == HvgFlavor::seurat ? mean_and_deviation(of_bin[bin]) : median_and_mad(of_bin[bin], any_nan[bin] != 0));
  return norms;
}

double largest_if_infinite(double x) {
  constexpr double largest = std::numeric_limits<double>::max();
  return std::clamp(x, -largest, largest);
}

bool in_bounds(double mean, double dispersion, const HvgRules& rules) {
  const double norm = std::isnan(dispersion) ? 0 : largest_if_infinite(dispersion);
  return mean > rules.min_mean && mean < rules.max_mean && norm > rules.min_disp && norm < rules.max_disp;
}

// What a gene's normalised dispersion must reach; none when none has one.
std::optional<double> nth_highest(const std::vector<double>& dispersions, std::int64_t n) {
  std::vector<double> known;
  for (const double value : dispersions)
    if (!std::isnan(value)) known.push_back(value);
  if (known.empty()) return std::nullopt;
  const auto place = static_cast<std::ptrdiff_t>(std::min(n, static_cast<std::int64_t>(known.size())) - 1);
  std::nth_element(known.begin(), known.begin() + place, known.end(), std::greater<>());
  return known[static_cast<std::size_t>(place)];
}

void choose(HvgGenes& genes, const HvgRules& rules) {
  const std::size_t n = genes.means.size();
  genes.highly_variable.assign(n, 0);
  const auto bound = rules.n_top > 0 ? nth_highest(genes.dispersions_norm, rules.n_top) : std::nullopt;
  for (std::size_t gene = 0; gene < n; ++gene) {
    const double norm = genes.dispersions_norm[gene];
    if (rules.n_top > 0)  // an infinite bound is reached by none, in scanpy too
      genes.highly_variable[gene] = bound && !std::isnan(norm) && largest_if_infinite(norm) >= *bound;
    else
      genes.highly_variable[gene] = in_bounds(genes.means[gene], norm, rules);
  }
}

}  // namespace

HvgGenes find_hvg(std::span<const double> mean, std::span<const double> var, const HvgRules& rules) {
  HvgGenes genes;
  if (mean.empty()) return genes;
  const bool seurat = rules.flavor == HvgFlavor::seurat;
  for (std::size_t gene = 0; gene < mean.size(); ++gene) {
    const double some_mean = mean[gene] == 0 ? 1e-12 : mean[gene];
    const double dispersion = var[gene] / some_mean;
    genes.means.push_back(seurat ? log1p_exact_order(some_mean) : some_mean);
    genes.dispersions.push_back(!seurat ? dispersion : dispersion == 0 ? not_a_number : log_exact_order(dispersion));
  }
  if (std::any_of(genes.means.begin(), genes.means.end(), [](double m) { return std::isnan(m); }))
    throw input_error("nan-values", "means", "some genes have no mean, or one too negative for a logarithm",
                      "the values are neither counts nor logarithms of counts");
  const std::vector<double> edges = seurat ? equal_widths(genes.means, rules.n_bins) : percentiles(genes.means);
  const std::vector<int> bins = bins_of(genes.means, edges);
  const std::vector<BinNorm> norms = norms_of(genes.dispersions, bins, edges.size() - 1, rules.flavor);
  for (std::size_t gene = 0; gene < mean.size(); ++gene) {
    const BinNorm norm = bins[gene] == no_bin ? BinNorm{} : norms[static_cast<std::size_t>(bins[gene])];
    genes.dispersions_norm.push_back((genes.dispersions[gene] - norm.average) / norm.deviation);
  }
  choose(genes, rules);
  return genes;
}

HvgGenes find_hvg_of_batch(std::span<const double> mean, std::span<const double> var, std::span<const std::int64_t> n_positive,
                           const HvgRules& rules) {
  std::vector<std::size_t> present;
  std::vector<double> means, vars;
  for (std::size_t gene = 0; gene < mean.size(); ++gene) {
    if (n_positive[gene] == 0) continue;
    present.push_back(gene);
    means.push_back(mean[gene]);
    vars.push_back(var[gene]);
  }
  const HvgGenes found = find_hvg(means, vars, rules);
  HvgGenes all;
  for (auto* values : {&all.means, &all.dispersions, &all.dispersions_norm}) values->resize(mean.size());
  all.highly_variable.resize(mean.size());
  for (std::size_t i = 0; i < present.size(); ++i) {
    all.means[present[i]] = found.means[i];
    all.dispersions[present[i]] = found.dispersions[i];
    all.dispersions_norm[present[i]] = found.dispersions_norm[i];
    all.highly_variable[present[i]] = found.highly_variable[i];
  }
  return all;
}

namespace {

// The mean over the batches of what is not NaN.
double mean_over(std::span<const HvgGenes> batches, std::vector<double> HvgGenes::*values, std::size_t gene) {
  DoubleDouble sum;
  int n = 0;
  for (const HvgGenes& batch : batches) {
    const double value = (batch.*values)[gene];
    if (std::isnan(value)) continue;
    sum.add(value);
    ++n;
  }
  return n ? sum.high / n : not_a_number;
}

void choose_top(HvgGenes& genes, const HvgRules& rules, std::span<const std::int32_t> order_of_ties) {
  std::vector<std::size_t> order(genes.means.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto before = [&](std::size_t a, std::size_t b) {
    if (genes.n_batches[a] != genes.n_batches[b]) return genes.n_batches[a] > genes.n_batches[b];
    const double x = genes.dispersions_norm[a], y = genes.dispersions_norm[b];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(y);
    if (!std::isnan(x) && x != y) return x > y;
    return order_of_ties[a] < order_of_ties[b];
  };
  std::sort(order.begin(), order.end(), before);
  genes.highly_variable.assign(order.size(), 0);
  const std::size_t n = std::min(order.size(), static_cast<std::size_t>(rules.n_top));
  for (std::size_t i = 0; i < n; ++i) genes.highly_variable[order[i]] = 1;
}

}  // namespace

HvgGenes merge_hvg(std::span<const HvgGenes> batches, const HvgRules& rules, std::span<const std::int32_t> order_of_ties) {
  HvgGenes genes;
  const std::size_t n = order_of_ties.size();
  for (std::size_t gene = 0; gene < n; ++gene) {
    genes.means.push_back(mean_over(batches, &HvgGenes::means, gene));
    genes.dispersions.push_back(mean_over(batches, &HvgGenes::dispersions, gene));
    genes.dispersions_norm.push_back(mean_over(batches, &HvgGenes::dispersions_norm, gene));
    genes.n_batches.push_back(
        std::count_if(batches.begin(), batches.end(), [&](const HvgGenes& b) { return b.highly_variable[gene] != 0; }));
  }
  if (rules.n_top > 0) {
    choose_top(genes, rules, order_of_ties);
    return genes;
  }
  genes.highly_variable.resize(n);
  for (std::size_t gene = 0; gene < n; ++gene) {
    if (std::isnan(genes.dispersions_norm[gene])) genes.dispersions_norm[gene] = 0;
    genes.highly_variable[gene] = in_bounds(genes.means[gene], genes.dispersions_norm[gene], rules);
  }
  return genes;
}

}  // namespace quern
