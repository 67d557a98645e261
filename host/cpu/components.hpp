// Principal components of selected genes, from their Gram matrix; and the scores of cells.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"
#include "host/cpu/lease_pool.hpp"

namespace quern {

struct Components {
  std::int64_t n_genes = 0, n = 0;
  std::vector<double> loadings;   // n x n_genes, component after component, each of length 1 with its sign by the rule
  std::vector<double> variances;  // ddof 1, the largest first
  std::vector<double> means;      // of the genes
  double total_variance = 0;
};

// What find_components and a Projection take besides the products.
std::size_t component_bytes(std::int64_t n_genes, std::int64_t n);

// `products` of n_rows cells become their covariances and are used up. n <= n_genes, n_rows >= 2. One thread.
Components find_components(std::span<double> products, std::span<const double> sums, std::int64_t n_rows, std::int64_t n);

// Scores: (x - means) times the loadings, in doubles, entry by entry, rounded once. Each row's depend on that row alone.
class Projection {
 public:
  // Claims for max_rows rows at once on `threads` threads.
  Projection(const Components& components, std::int64_t max_rows, int threads, MemoryBudget& budget);
  static std::size_t bytes(std::int64_t n_genes, std::int64_t n, std::int64_t max_rows, int threads);
  // n_rows x n scores, valid until the next call. In the threads of the arena it is called in.
  std::span<const float> scores(const CsrChunkView<MemorySpace::host>& rows);

 private:
  struct Scratch {
    std::vector<std::uint32_t> starts;
    std::vector<double> values, sums;
  };
  template <class V>
  void score_row(const CsrChunkView<MemorySpace::host>& rows, std::int32_t row, Scratch& room);
  static std::vector<std::unique_ptr<Scratch>> make_scratch(std::int64_t n_genes, std::int64_t width, int threads);
  std::int64_t n_, width_;
  Claim claim_;
  std::vector<double> loadings_;  // n_genes x width_
  std::vector<double> centre_;    // scores of the means
  std::vector<float> scores_;
  LeasePool<Scratch> scratch_;
};

}  // namespace quern
