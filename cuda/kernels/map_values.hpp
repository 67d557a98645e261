// Values of a chunk, each divided by its row's divisor, log1p taken if asked: an array of as many floats or doubles. One warp a row.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/entries.hpp"

namespace quern::cuda {

template <class EntriesType, class Out>
struct MapValues {
  static constexpr int threads = 256, blocks_each = 4;

  EntriesType entries;
  const double* divisors;  // of the rows of the chunk
  ValueMap map;
  Out* out;  // chunk.nnz

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const int n_warps = block.count() * warp.count();
    for (std::int32_t row = block.index() * warp.count() + warp.index(); row < entries.chunk.n_rows; row += n_warps) {
      const double divisor = load(divisors, row);
      const std::uint32_t end = entries.row_end(row);
      for (std::uint32_t at = entries.row_begin(row) + static_cast<std::uint32_t>(warp.lane()); at < end; at += warp_size)
        store(out, at, written_value<Out>(map(entries.real(entries.stored(at), at), divisor)));
    }
  }
};

}  // namespace quern::cuda
