// A chunk turned over times a dense matrix: a warp a few neighbouring genes, a lane a column of B. The warp goes through the rows in their
// order, each time to the entries of its genes, whose sums lie in shared memory: no two warps meet, so no addition is atomic and every
// sum has the order of the rows (host/ops/product.hpp).
#pragma once
#include "cuda/device/device.hpp"
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/multiply_rows.hpp"
#include "cuda/kernels/product_args.hpp"

namespace quern::cuda {

template <class EntriesType, class Dense>
struct FoldGenes {
  static constexpr int threads = 256, blocks_each = 2;
  static constexpr int genes_each = 8;  // of a warp at once

  EntriesType entries;
  const Dense* b;
  std::int32_t width;  // columns of B
  double* sums;

  static std::size_t shared_bytes() { return std::size_t{threads / warp_size} * genes_each * tile_columns * sizeof(double); }

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const Shared<double> kept = block.template shared<double>(warp.count() * genes_each * tile_columns);
    const std::int64_t n_genes = entries.chunk.n_cols, n_warps = std::int64_t{block.count()} * warp.count();
    for (std::int64_t group = std::int64_t{block.index()} * warp.count() + warp.index(); group * genes_each < n_genes; group += n_warps)
      for (std::int32_t column = 0; column < width; column += tile_columns) fold(warp, kept, group * genes_each, column);
  }

 private:
  // Where the lane's k-th column of gene g (of the warp's) is kept.
  QUERN_DEVICE static int place(const Warp& warp, int g, int k) {
    return ((warp.index() * genes_each + g) * columns_each + k) * warp_size + warp.lane();
  }

  // The first entry of the row whose column is not below `gene`.
  QUERN_DEVICE std::uint32_t find(std::int32_t row, std::int64_t gene) const {
    std::uint32_t low = entries.row_begin(row), high = entries.row_end(row);
    while (low < high) {
      const std::uint32_t middle = low + (high - low) / 2;
      if (static_cast<std::int64_t>(entries.column(middle)) < gene)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  QUERN_DEVICE void fold(const Warp& warp, const Shared<double>& kept, std::int64_t first_gene, std::int32_t first_column) const {
    const std::int64_t n_genes = entries.chunk.n_cols, last_gene = first_gene + genes_each < n_genes ? first_gene + genes_each : n_genes;
    const std::int32_t column = first_column + warp.lane();
    const auto n = static_cast<int>(last_gene - first_gene);
    for (int g = 0; g < n; ++g)
      for (int k = 0; k < columns_each; ++k)
        if (column + k * warp_size < width) kept.set(place(warp, g, k), load(sums, (first_gene + g) * width + column + k * warp_size));
    for (std::int32_t base = 0; base < entries.chunk.n_rows; base += warp_size) {
      const std::int32_t row = base + warp.lane();
      const bool inside = row < entries.chunk.n_rows;
      const std::uint32_t begin = inside ? find(row, first_gene) : 0, end = inside ? find(row, last_gene) : 0;
      for (std::uint32_t rows = warp.ballot(begin < end); rows != 0; rows &= rows - 1) {
        const int lane = lowest_one(rows);
        add_row(warp, kept, base + lane, warp.shuffle(begin, lane), warp.shuffle(end, lane), first_gene, column);
      }
    }
    for (int g = 0; g < n; ++g)
      for (int k = 0; k < columns_each; ++k)
        if (column + k * warp_size < width) store(sums, (first_gene + g) * width + column + k * warp_size, kept.get(place(warp, g, k)));
  }

  QUERN_DEVICE void add_row(const Warp& warp, const Shared<double>& kept, std::int32_t row, std::uint32_t begin, std::uint32_t end,
                            std::int64_t first_gene, std::int32_t column) const {
    double of_b[columns_each];
    for (int k = 0; k < columns_each; ++k)
      of_b[k] = column + k * warp_size < width
                    ? static_cast<double>(load(b, static_cast<std::int64_t>(row) * width + column + k * warp_size))
                    : 0.0;
    for (std::uint32_t at = begin; at < end; ++at) {
      const auto g = static_cast<int>(static_cast<std::int64_t>(entries.column(at)) - first_gene);
      const double x = entries.real(entries.stored(at), at);
      for (int k = 0; k < columns_each; ++k) {
        const int to = place(warp, g, k);
        if (column + k * warp_size < width) kept.set(to, kept.get(to) + x * of_b[k]);
      }
    }
  }
};

}  // namespace quern::cuda
