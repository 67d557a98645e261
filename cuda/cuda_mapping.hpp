// One pass on the devices that replaces values by others.
#pragma once
#include <memory>

#include "cuda/cuda_run.hpp"
#include "host/ops/value_map.hpp"

namespace quern::cuda {

// Allocates what it needs on the devices. Throws Error: device-memory, and what else a device may say.
std::unique_ptr<Mapping> make_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape, const RunRoom& room,
                                      MemoryBudget& budget);

}  // namespace quern::cuda
