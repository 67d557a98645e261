// How a kernel starts on a GPU: the only place with <<<>>>.
#pragma once
#include <cuda_runtime.h>

#include "cuda/kernels/dispatch.hpp"

namespace quern::cuda {

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, Kernel::blocks_each) run_kernel(const __grid_constant__ Kernel kernel) {
  Block block;
  kernel(block);
}

// Of the current device. Errors stay for the caller, who asks after the launch.
inline DeviceShape current_device() {
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

}  // namespace quern::cuda
