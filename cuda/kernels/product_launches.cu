// The launches of products with a dense matrix.
#include "cuda/kernels/product_dispatch.hpp"
#include "cuda/kernels/run_kernel.cuh"

namespace quern::cuda {

void launch_multiply_rows(const MultiplyJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_multiply_rows(job, current_device(), launcher);
}

void launch_fold_genes(const FoldJob& job, Stream stream) {
  StreamLauncher launcher{stream};
  dispatch_fold_genes(job, current_device(), launcher);
}

}  // namespace quern::cuda
