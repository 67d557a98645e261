#include "cli/pca_many_genes.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "host/cpu/block_product.hpp"

namespace quern::cli {
namespace {

class AddProducts final : public BlockUser {
 public:
  AddProducts(const ManyGenesPlan& plan, std::int64_t n_genes, std::int64_t width, MemoryBudget& budget)
      : product_(n_genes, width, plan.most_values(), plan.threads, budget) {}
  void begin(std::span<const double> block, std::span<double> out, RowMoments* moments) {
    block_ = block;
    out_ = out;
    moments_ = moments;
  }
  void take(const CsrChunkView<MemorySpace::host>& rows) override { product_.add(rows, block_, out_, moments_); }

 private:
  BlockProduct product_;
  std::span<const double> block_;
  std::span<double> out_;
  RowMoments* moments_ = nullptr;
};

}  // namespace

std::int64_t ManyGenesPlan::most_values() const {
  const std::int64_t all = std::min(block_product_rows, matrix.shape().n_rows) * matrix.genes().n_selected();
  return matrix.shape().nnz < 0 ? all : std::min(all, matrix.shape().nnz);
}

std::size_t ManyGenesPlan::bytes() const {
  const KrylovPlan krylov(matrix.genes().n_selected(), n_comps);
  return krylov.bytes() + BlockProduct::bytes(krylov.n_genes, krylov.width, most_values(), threads) +
         static_cast<std::size_t>(krylov.n_genes) * 2 * sizeof(double);
}

KrylovResult components_of_many_genes(const ManyGenesPlan& plan, SelectedMatrix& matrix, KeptRows& kept, const PipelineOptions& options,
                                      MemoryBudget& budget, RunReport& all, std::int64_t& n_values) {
  const std::int64_t n_genes = matrix.genes().n_selected();
  const KrylovPlan krylov(n_genes, plan.n_comps);
  const Claim claim = budget.claim("sums of genes", static_cast<std::size_t>(n_genes) * 2 * sizeof(double));
  AddProducts products(plan, n_genes, krylov.width, budget);
  RowMoments moments;
  bool first = true;
  const MultiplyBlock multiply = [&](std::span<const double> block, std::span<double> out) {
    products.begin(block, out, first ? &moments : nullptr);
    std::optional<KeepBlocks> keep;
    const auto start = [&]() -> BlockUser& {
      std::fill(out.begin(), out.end(), 0.0);
      if (!first) return products;
      moments = {0, std::vector<double>(static_cast<std::size_t>(n_genes)), std::vector<double>(static_cast<std::size_t>(n_genes))};
      return keep.emplace(products, kept);
    };
    if (!first && kept.holds(matrix.shape().n_rows))
      kept.replay(products, plan.threads);
    else
      n_values = matrix.walk(block_product_rows, start, options, all);
    first = false;
  };
  return find_by_krylov(krylov, multiply, moments, most_krylov_passes, budget);
}

}  // namespace quern::cli
