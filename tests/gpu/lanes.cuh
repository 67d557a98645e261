// The lanes, in the order in which they run.
#pragma once
#include "tests/gpu/lane_data.cuh"

namespace quern::lanes {

struct LaneOptions {
  int rounds = 7;
  ChunkShape chunk;
};

// Bytes per second of a copy in device memory, read and written ones counted: what every other lane is measured against.
double probe_copy(const LaneOptions& options, cudaStream_t stream);
void probe_transfers(const LaneOptions& options, cudaStream_t stream);
void probe_atomics(const LaneOptions& options, const ResidentChunk& chunk, cudaStream_t stream);
void lane_fused_qc(const LaneOptions& options, const ResidentChunk& chunk, double copy_rate, cudaStream_t stream);
void lane_products(const LaneOptions& options, const ResidentChunk& chunk, double copy_rate, cudaStream_t stream);
void lane_more_kernels(const LaneOptions& options, const ResidentChunk& chunk, double copy_rate, cudaStream_t stream);

void lane_gram(const LaneOptions& options, cudaStream_t stream);

}  // namespace quern::lanes
