// Principal components of many genes without their products: a block Krylov space of the centred matrix, a pass over the rows for each
// of its steps.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "host/core/memory.hpp"
#include "host/cpu/components.hpp"

namespace quern {

// One pass over all rows: adds X transposed times X times `block` (n_genes x width, gene after gene) to `out`, which is zeros.
using MultiplyBlock = std::function<void(std::span<const double> block, std::span<double> out)>;

struct KrylovPlan {
  std::int64_t n_genes = 0, n = 0, width = 0;
  // Vectors are the n components wanted and some more, so that the last of them are found as soon as the first.
  KrylovPlan(std::int64_t genes, std::int64_t components);
  std::size_t bytes() const;  // that find_by_krylov claims
};

// Sums over the rows, known after the first pass.
struct RowMoments {
  std::int64_t n_rows = 0;
  std::vector<double> sums, squares;  // of each gene
};

struct KrylovResult {
  Components components;
  int passes = 0;
  double residual = 0;  // the largest of the n, beside its eigenvalue
};

// Until residuals are below 1e-6 of their eigenvalues, or most_passes were made. `moments` is filled by the first call of `multiply`.
// One thread beside what `multiply` takes; the same start each time.
KrylovResult find_by_krylov(const KrylovPlan& plan, const MultiplyBlock& multiply, const RowMoments& moments, int most_passes,
                            MemoryBudget& budget);

}  // namespace quern
