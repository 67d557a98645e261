// Rows of a chunk written out: tile[row * n_cols + column] = value, over zeros. One warp a row.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/entries.hpp"

namespace quern::cuda {

template <class EntriesType>
struct DensifyRows {
  static constexpr int threads = 256, blocks_each = 4;

  EntriesType entries;
  double* tile;

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const int n_warps = block.count() * warp.count();
    for (std::int32_t row = block.index() * warp.count() + warp.index(); row < entries.chunk.n_rows; row += n_warps) {
      const std::uint32_t end = entries.row_end(row);
      double* const out = tile + static_cast<std::int64_t>(row) * entries.chunk.n_cols;
      for (std::uint32_t at = entries.row_begin(row) + static_cast<std::uint32_t>(warp.lane()); at < end; at += warp_size)
        store(out, entries.column(at), entries.real(entries.stored(at), at));
    }
  }
};

}  // namespace quern::cuda
