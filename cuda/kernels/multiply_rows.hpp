// Rows of a chunk times a dense matrix: a warp a row, a lane a column of B. Every sum goes on from what it is, in the order of the row's
// entries (host/ops/product.hpp).
#pragma once
#include "cuda/device/device.hpp"
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/product_args.hpp"

namespace quern::cuda {

constexpr int columns_each = 2, tile_columns = columns_each * warp_size;  // of B, that a lane and a warp work on at once

// Dense: float or double.
template <class EntriesType, class Dense>
struct MultiplyRows {
  static constexpr int threads = 256, blocks_each = 2;

  EntriesType entries;
  const Dense* b;
  std::int32_t n_genes, width;  // of B
  double* sums;
  bool keeps_b;  // all of B in shared memory

  static std::size_t shared_bytes(std::int64_t n_genes, std::int32_t width) {
    return static_cast<std::size_t>(n_genes * width) * sizeof(Dense);
  }

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const Shared<Dense> kept = block.template shared<Dense>(keeps_b ? n_genes * width : 0);
    if (keeps_b) {
      for (int i = block.thread(); i < n_genes * width; i += block.threads()) kept.set(i, load(b, i));
      block.barrier();
    }
    const int n_warps = block.count() * warp.count();
    for (std::int32_t row = block.index() * warp.count() + warp.index(); row < entries.chunk.n_rows; row += n_warps)
      for (std::int32_t column = 0; column < width; column += tile_columns) {
        if (keeps_b)
          add_row(warp, row, column, [&](std::int64_t at) { return static_cast<double>(kept.get(static_cast<int>(at))); });
        else
          add_row(warp, row, column, [&](std::int64_t at) { return static_cast<double>(load(b, at)); });
      }
  }

 private:
  // Columns `first` and on of one row: `dense` gives a value of B.
  template <class DenseAt>
  QUERN_DEVICE void add_row(const Warp& warp, std::int32_t row, std::int32_t first, const DenseAt& dense) const {
    const std::int32_t column = first + warp.lane();
    const std::int64_t to = static_cast<std::int64_t>(row) * width + column;
    double sum[columns_each];
    for (int k = 0; k < columns_each; ++k) sum[k] = column + k * warp_size < width ? load(sums, to + k * warp_size) : 0.0;
    const std::uint32_t end = entries.row_end(row);
    for (std::uint32_t at = entries.row_begin(row); at < end; at += warp_size) {
      const std::uint32_t mine = at + static_cast<std::uint32_t>(warp.lane());
      const bool inside = mine < end;
      const auto gene = static_cast<std::uint32_t>(inside ? entries.column(mine) : typename EntriesType::Column{0});
      const double value = inside ? entries.real(entries.stored(mine), mine) : 0.0;
      const int n = end - at < warp_size ? static_cast<int>(end - at) : warp_size;
      for (int i = 0; i < n; ++i) {
        const std::int64_t b_row = static_cast<std::int64_t>(warp.shuffle(gene, i)) * width + column;
        const double x = warp.shuffle(value, i);
        for (int k = 0; k < columns_each; ++k)
          if (column + k * warp_size < width) sum[k] += x * dense(b_row + k * warp_size);
      }
    }
    for (int k = 0; k < columns_each; ++k)
      if (column + k * warp_size < width) store(sums, to + k * warp_size, sum[k]);
  }
};

}  // namespace quern::cuda
