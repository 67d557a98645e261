// The launches of passes over any numbers.
#include "cuda/kernels/launches.hpp"
#include "cuda/kernels/run_kernel.cuh"

namespace quern::cuda {

void launch_real_chunk(const ChunkJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_real_chunk(job, current_device(), launcher);
}

void launch_carry(const PassSpec& pass, const GeneTables& genes, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_carry(pass, genes, current_device(), launcher);
}

}  // namespace quern::cuda
