// A product on the devices.
#pragma once
#include "cuda/cuda_run.hpp"
#include "host/ops/product.hpp"

namespace quern::cuda {

// X times B on all devices, each with B in its memory. The transpose on the first device alone, which has the sums of all genes: one
// order of addition.
std::unique_ptr<Product> make_product(const ProductSpec& spec, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget);

}  // namespace quern::cuda
