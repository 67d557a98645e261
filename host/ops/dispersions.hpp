// Highly variable genes by their dispersion: what scanpy's highly_variable_genes computes for its flavors seurat and cell_ranger.
#pragma once
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace quern {

enum class HvgFlavor { seurat, cell_ranger };

struct HvgRules {
  HvgFlavor flavor = HvgFlavor::seurat;
  int n_bins = 20;         // seurat: bins of equal width; cell_ranger always has 20, between percentiles
  std::int64_t n_top = 0;  // so many genes (more where they tie for the last place); 0: the bounds below, none of them included
  double min_mean = 0.0125, max_mean = 3, min_disp = 0.5, max_disp = std::numeric_limits<double>::infinity();
};

// One entry a gene.
struct HvgGenes {
  std::vector<double> means, dispersions, dispersions_norm;
  std::vector<std::uint8_t> highly_variable;
  // Of batches only: in how many of them the gene is highly variable.
  std::vector<std::int64_t> n_batches;
};

// mean and var (ddof 1) of each gene over the cells: of the values without logarithm for seurat, as they are for cell_ranger.
// Throws input_error: "nan-values", "infinite-means" (seurat), "equal-bins" (cell_ranger, when too many genes have one and the same mean).
HvgGenes find_hvg(std::span<const double> mean, std::span<const double> var, const HvgRules& rules);

// One batch of several: genes whose entry of n_positive is 0 take no part and are 0 everywhere.
HvgGenes find_hvg_of_batch(std::span<const double> mean, std::span<const double> var, std::span<const std::int64_t> n_positive,
                           const HvgRules& rules);
// Means over the batches (NaN left out); the genes chosen in most batches, then those of the largest normalised dispersion, or those within
// the bounds. Exactly n_top; `order_of_ties` has the place of each gene among those that tie.
HvgGenes merge_hvg(std::span<const HvgGenes> batches, const HvgRules& rules, std::span<const std::int32_t> order_of_ties);

}  // namespace quern
