// The least memory that will do, found by trying.
#pragma once
#include <cstddef>
#include <functional>

#include "host/core/memory.hpp"

namespace quern {

// The least budget, in whole MiB, with which `take` throws no resource error; 1 TiB: none that was tried. Calls it about 20 times;
// `at_least`: known to be needed.
std::size_t least_budget(const std::function<void(MemoryBudget& trial)>& take, std::size_t at_least);

}  // namespace quern
