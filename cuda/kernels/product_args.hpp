// What the host tells the kernels of a product: plain data, pointers into device memory.
#pragma once
#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

// A dense matrix, row after row.
struct DeviceDense {
  const void* values = nullptr;
  ValueType type = ValueType::f64;
  std::int64_t n_rows = 0;
  std::int32_t n_cols = 0;
};

// Rows of a chunk times `b` (a row for every gene): added to sums, n_rows x b.n_cols.
struct MultiplyJob {
  DeviceChunk chunk;
  DeviceDense b;
  double* sums = nullptr;
};

// The chunk turned over times `b` (a row for every row of the chunk): added to sums, chunk.n_cols x b.n_cols, in the order of the rows.
struct FoldJob {
  DeviceChunk chunk;
  DeviceDense b;
  double* sums = nullptr;
};

}  // namespace quern::cuda
