// The backend that is always there.
#pragma once
#include <memory>

#include "host/core/backend.hpp"

namespace quern {

std::unique_ptr<Backend> make_cpu_backend(int threads);

}  // namespace quern
