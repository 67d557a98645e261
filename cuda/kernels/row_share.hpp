// Which rows of a chunk a block works on: consecutive ones, about the same number of entries for every block.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

struct RowShare {
  std::int32_t first, last;
};

// Cuts the chunk by entries, each row counting as 32 more, so that empty rows are spread as well. By all lanes of a warp.
QUERN_DEVICE RowShare share_of(const Warp& warp, const DeviceChunk& chunk, int block, int n_blocks) {
  constexpr std::int64_t row_cost = 32;
  const std::int64_t all = chunk.nnz + row_cost * chunk.n_rows;
  const auto row_at = [&](std::int64_t target) {
    const auto below = [&](std::int64_t row) { return load(chunk.offsets, row) + row_cost * row < target; };
    return static_cast<std::int32_t>(first_not(warp, chunk.n_rows, below));
  };
  return {row_at(all * block / n_blocks), row_at(all * (block + 1) / n_blocks)};
}

}  // namespace quern::cuda
