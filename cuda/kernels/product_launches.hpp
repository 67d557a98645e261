// The functions that start the work of a product on a device; as in launches.hpp.
#pragma once
#include "cuda/kernels/product_args.hpp"

namespace quern::cuda {

// Both go on from what stands in job.sums.
void launch_multiply_rows(const MultiplyJob& job, Stream stream);
void launch_fold_genes(const FoldJob& job, Stream stream);

}  // namespace quern::cuda
