// A product on the processor.
#pragma once
#include <memory>

#include "host/core/backend.hpp"
#include "host/ops/product.hpp"

namespace quern {

// Sums of a transposed product: one table, whose genes are divided among the threads, so that a gene's sum meets the rows in their order.
std::unique_ptr<Product> make_cpu_product(const ProductSpec& spec, const MatrixShape& shape, MemoryBudget& budget, int threads);

}  // namespace quern
