#include "host/cpu/cpu_product.hpp"

#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/cpu/sparse_rows.hpp"

namespace quern {
namespace {

constexpr std::size_t tile_columns = 64;  // of B, whose sums lie together: gene after gene in a tile, tile after tile
constexpr int parts_each = 2;             // of the genes, for each thread: some have more entries than others

class CpuProduct final : public Product {
 public:
  CpuProduct(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget, int threads)
      : b_(spec.b), width_(static_cast<std::size_t>(b_.n_cols)), n_genes_(spec.transposed ? shape.n_cols : 0) {
    if (!spec.transposed) return;
    const std::size_t n_sums = static_cast<std::size_t>(n_genes_) * aligned_columns(width_);
    sums_ = HostBlock(pageable_memory(), budget.claim("result of the product", n_sums * sizeof(double)));
    result_ =
        HostBlock(pageable_memory(), budget.claim("result of the product", static_cast<std::size_t>(n_genes_) * width_ * sizeof(double)));
    std::fill_n(sums(), n_sums, 0.0);
    const std::int64_t n_parts = threads == 1 ? 1 : std::int64_t{threads} * parts_each;
    genes_each_ = std::max<std::int64_t>(1, (n_genes_ + n_parts - 1) / n_parts);
  }

  void multiply(const CsrChunkView<MemorySpace::host>& chunk, double* rows) override { multiply_rows(chunk, b_, rows); }

  // Isolated: a thread that waits for the others takes no other chunk, which would hold up all the chunks behind this one.
  void fold(const CsrChunkView<MemorySpace::host>& chunk) override {
    const std::int64_t n_parts = (n_genes_ + genes_each_ - 1) / genes_each_;
    tbb::this_task_arena::isolate([&] {
      tbb::parallel_for(std::int64_t{0}, n_parts, [&](std::int64_t part) {
        const std::int64_t first = part * genes_each_, last = std::min(n_genes_, first + genes_each_);
        const GeneRange genes{static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)};
        for (std::size_t column = 0; column < width_; column += tile_columns)
          add_to_genes(chunk, b_, {column, std::min(tile_columns, width_ - column)}, genes, tile(column));
      });
    });
  }

  std::span<const double> finish() override {
    auto* const result = reinterpret_cast<double*>(result_.data());
    const auto n_genes = static_cast<std::size_t>(n_genes_);
    for (std::size_t j = 0; j < width_; ++j) {
      const SumsView from = tile(j / tile_columns * tile_columns);
      for (std::size_t g = 0; g < n_genes; ++g) {
        const double sum = from.values[g * from.stride + j % tile_columns];
        result[g * width_ + j] = std::isnan(sum) ? std::numeric_limits<double>::quiet_NaN() : sum;
      }
    }
    return {result, n_genes * width_};
  }

 private:
  static std::size_t aligned_columns(std::size_t n) { return (n + 7) / 8 * 8; }
  double* sums() const { return reinterpret_cast<double*>(sums_.data()); }
  // The sums of the tile that begins with this column.
  SumsView tile(std::size_t column) const {
    return {sums() + static_cast<std::size_t>(n_genes_) * column, aligned_columns(std::min(tile_columns, width_ - column))};
  }
  DenseView b_;
  std::size_t width_;
  std::int64_t n_genes_, genes_each_ = 1;
  HostBlock sums_, result_;
};

}  // namespace

std::unique_ptr<Product> make_cpu_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget, int threads) {
  return std::make_unique<CpuProduct>(spec, shape, budget, threads);
}

}  // namespace quern
