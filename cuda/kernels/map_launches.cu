// The launches of what maps values to values.
#include "cuda/kernels/launches.hpp"
#include "cuda/kernels/run_kernel.cuh"

namespace quern::cuda {

void launch_map_values(const MapJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_map_values(job, current_device(), launcher);
}

}  // namespace quern::cuda
