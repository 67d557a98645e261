// The launches of what prepares products of genes with genes.
#include "cuda/kernels/launches.hpp"
#include "cuda/kernels/run_kernel.cuh"

namespace quern::cuda {

void launch_densify_rows(const DensifyJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_densify_rows(job, current_device(), launcher);
}

}  // namespace quern::cuda
