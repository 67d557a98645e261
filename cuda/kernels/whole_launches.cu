// The launches of passes over whole numbers.
#include "cuda/kernels/launches.hpp"
#include "cuda/kernels/run_kernel.cuh"

namespace quern::cuda {

std::size_t scratch_bytes(const PassSpec& pass) { return dispatch_scratch_bytes(pass); }

void launch_whole_chunk(const ChunkJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_whole_chunk(job, current_device(), launcher);
}

}  // namespace quern::cuda
