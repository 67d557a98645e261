// The launches of cuda/kernels/launches.hpp on a GPU.
#include "cuda/kernels/launches.hpp"

#include <cuda_runtime.h>

#include "cuda/kernels/dispatch.hpp"

namespace quern::cuda {
namespace {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads) run_kernel(const __grid_constant__ Kernel kernel) {
  Block block;
  kernel(block);
}

// Of the current device. Errors stay for the caller, who asks after the launch.
DeviceShape current_device() {
  int device = 0, multiprocessors = 1, shared_bytes = 48 * 1024;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device);
  cudaDeviceGetAttribute(&shared_bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  return {multiprocessors, static_cast<std::size_t>(shared_bytes)};
}

struct StreamLauncher {
  Stream stream;
  template <class Kernel>
  void operator()(const Kernel& kernel, int blocks, std::size_t shared_bytes) const {
    if (shared_bytes > 48 * 1024)
      cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    run_kernel<Kernel><<<blocks, Kernel::threads, shared_bytes, stream>>>(kernel);
  }
};

}  // namespace

std::size_t scratch_bytes(const PassSpec& pass) { return dispatch_scratch_bytes(pass); }

void launch_whole_chunk(const ChunkJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_whole_chunk(job, current_device(), launcher);
}

void launch_real_chunk(const ChunkJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_real_chunk(job, current_device(), launcher);
}

void launch_carry(const PassSpec& pass, const GeneTables& genes, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_carry(pass, genes, current_device(), launcher);
}

}  // namespace quern::cuda
