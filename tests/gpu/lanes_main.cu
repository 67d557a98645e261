// quern_gpu_lanes [CELLS [ROUNDS]]: measures the kernels and what limits them on this machine's first device; one JSON line a contestant,
// as it goes. Exit 6: no device; 1: a wrong result.
#include "tests/gpu/lanes.cuh"

namespace {

void print_device() {
  cudaDeviceProp properties;
  quern::lanes::check(cudaGetDeviceProperties(&properties, 0), "device");
  int driver = 0, runtime = 0;
  cudaDriverGetVersion(&driver);
  cudaRuntimeGetVersion(&runtime);
  std::printf(R"({"device": "%s", "compute_capability": "%d.%d", "multiprocessors": %d, "memory_bytes": %zu, "l2_bytes": %d, )"
              R"("shared_bytes_per_block": %zu, "driver": %d, "runtime": %d})"
              "\n",
              properties.name, properties.major, properties.minor, properties.multiProcessorCount, properties.totalGlobalMem,
              properties.l2CacheSize, properties.sharedMemPerBlockOptin, driver, runtime);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace quern::lanes;
  LaneOptions options;
  if (argc > 1) options.chunk.n_rows = std::atoi(argv[1]);
  if (argc > 2) options.rounds = std::atoi(argv[2]);
  check(cudaSetDevice(0), "no device");
  print_device();
  cudaStream_t stream;
  check(cudaStreamCreate(&stream), "stream");
  const double copy_rate = probe_copy(options, stream);
  const ResidentChunk chunk = make_chunk(options.chunk, stream);
  std::printf(R"({"chunk": {"cells": %d, "genes": %u, "nnz": %d}})"
              "\n",
              chunk.shape.n_rows, chunk.shape.n_cols, chunk.nnz);
  lane_fused_qc(options, chunk, copy_rate, stream);
  probe_atomics(options, chunk, stream);
  lane_products(options, chunk, copy_rate, stream);
  lane_more_kernels(options, chunk, copy_rate, stream);
  lane_gram(options, stream);
  probe_transfers(options, stream);
  check(cudaStreamDestroy(stream), "stream");
  return 0;
}
