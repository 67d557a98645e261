#include "host/cpu/block_product.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>

#include "host/cpu/row_slices.hpp"

namespace quern {
namespace {

std::size_t size(std::int64_t n) { return static_cast<std::size_t>(n); }

}  // namespace

std::vector<std::unique_ptr<BlockProduct::Scratch>> BlockProduct::make_scratch(std::int64_t n_genes, std::int64_t width, int threads) {
  std::vector<std::unique_ptr<Scratch>> all;
  for (int i = 0; i < threads; ++i)
    all.push_back(std::make_unique<Scratch>(
        Scratch{std::vector<std::uint32_t>(size(n_genes)), std::vector<double>(size(n_genes)), std::vector<double>(size(width))}));
  return all;
}

std::size_t BlockProduct::bytes(std::int64_t n_genes, std::int64_t width, std::int64_t most_values, int threads) {
  return aligned(size(most_values) * 8) + aligned(size(most_values) * 4) + size(block_product_rows * width) * sizeof(double) +
         size(n_genes + 1) * 4 + static_cast<std::size_t>(threads) * (size(n_genes) * 12 + size(width) * sizeof(double));
}

BlockProduct::BlockProduct(std::int64_t n_genes, std::int64_t width, std::int64_t most_values, int threads, MemoryBudget& budget)
    : n_genes_(n_genes),
      width_(width),
      block_(pageable_memory(), budget.claim("a block of rows for products of genes", bytes(n_genes, width, most_values, threads))),
      ends_(size(n_genes + 1)),
      scratch_(make_scratch(n_genes, width, threads)) {
  values_ = reinterpret_cast<double*>(block_.data());
  rows_ = reinterpret_cast<std::uint32_t*>(block_.data() + aligned(size(most_values) * 8));
  products_ = reinterpret_cast<double*>(block_.data() + aligned(size(most_values) * 8) + aligned(size(most_values) * 4));
}

template <class V>
void BlockProduct::sort_by_gene(const CsrChunkView<MemorySpace::host>& rows, RowMoments* moments) {
  const V* values = rows.values_as<V>();
  std::fill(ends_.begin(), ends_.end(), 0);
  for (std::int32_t i = 0; i < rows.nnz(); ++i) ++ends_[rows.columns[i] + 1];
  for (std::size_t gene = 1; gene < ends_.size(); ++gene) ends_[gene] += ends_[gene - 1];
  for (std::int32_t row = 0; row < rows.n_rows; ++row)
    for (std::int32_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
      const std::uint32_t gene = rows.columns[i], to = ends_[gene]++;
      const auto value = static_cast<double>(values[i]);
      rows_[to] = static_cast<std::uint32_t>(row * width_);
      values_[to] = value;
      if (!moments) continue;
      moments->sums[gene] += value;
      moments->squares[gene] += value * value;
    }
}

template <class V>
void BlockProduct::multiply_rows(const CsrChunkView<MemorySpace::host>& rows, std::span<const double> block) {
  tbb::parallel_for(tbb::blocked_range<std::int32_t>(0, rows.n_rows, 64), [&](const tbb::blocked_range<std::int32_t>& range) {
    const auto room = scratch_.lease();
    for (std::int32_t row = range.begin(); row < range.end(); ++row) {
      const std::int32_t begin = rows.offsets[row], n = rows.offsets[row + 1] - begin;
      for (std::int32_t i = 0; i < n; ++i) {
        room->starts[size(i)] = rows.columns[begin + i] * static_cast<std::uint32_t>(width_);
        room->values[size(i)] = static_cast<double>(rows.values_as<V>()[begin + i]);
      }
      sum_row_slices(block.data(), room->starts.data(), room->values.data(), size(n), size(width_), products_ + row * width_);
    }
  });
}

void BlockProduct::add(const CsrChunkView<MemorySpace::host>& rows, std::span<const double> block, std::span<double> out,
                       RowMoments* moments) {
  if (moments) moments->n_rows += rows.n_rows;
  if (rows.value_type == ValueType::f32) {
    sort_by_gene<float>(rows, moments);
    multiply_rows<float>(rows, block);
  } else {
    sort_by_gene<double>(rows, moments);
    multiply_rows<double>(rows, block);
  }
  // Sorting has moved what were starts to the ends.
  tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, n_genes_, 64), [&](const tbb::blocked_range<std::int64_t>& range) {
    const auto room = scratch_.lease();
    for (std::int64_t gene = range.begin(); gene < range.end(); ++gene) {
      const std::uint32_t first = gene == 0 ? 0 : ends_[size(gene - 1)], n = ends_[size(gene)] - first;
      if (n == 0) continue;
      sum_row_slices(products_, rows_ + first, values_ + first, n, size(width_), room->sums.data());
      for (std::int64_t c = 0; c < width_; ++c) out[size(gene * width_ + c)] += room->sums[size(c)];
    }
  });
}

}  // namespace quern
