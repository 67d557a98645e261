// A resident chunk of single-cell counts, made on the device: genes of very different frequency in no order, cells of different depth,
// two thirds of the values 1. The same for the same seed.
#pragma once
#include <cstdint>

#include "cuda/kernels/chunk_args.hpp"
#include "tests/gpu/lane_support.cuh"

namespace quern::lanes {

struct ChunkShape {
  std::int32_t n_rows = 100000;
  std::uint32_t n_cols = 28000;
  double density = 0.084;
  std::uint64_t seed = 1;
};

// Wide: 32-bit columns and floats. Packed: 16-bit columns and bytes; values stop at 254, so there are no escapes.
struct ResidentChunk {
  ChunkShape shape;
  std::int32_t nnz;
  Buffer<std::int32_t> offsets;
  Buffer<std::uint32_t> columns;
  Buffer<float> values;
  Buffer<std::uint16_t> narrow_columns;
  Buffer<std::uint8_t> narrow_values;
  cuda::DeviceChunk wide() const;
  cuda::DeviceChunk packed() const;
};

ResidentChunk make_chunk(const ChunkShape& shape, cudaStream_t stream);

}  // namespace quern::lanes
