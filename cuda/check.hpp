// What becomes of a call that failed: an Error that names the call, the device and what to do.
#pragma once
#include <string>

#include "cuda/runtime.hpp"
#include "host/core/error.hpp"

namespace quern::cuda {

// Whether every later call on the device will fail too, until the process ends.
bool is_sticky(Status status);

// `device` in words ("NVIDIA H200, GPU-..."), `what` the attempt ("copying a chunk to the device").
[[nodiscard]] Error error_of(Status status, const std::string& device, const std::string& what);

inline void check(Status status, const std::string& device, const char* what) {
  if (status != Status::success) throw error_of(status, device, what);
}

}  // namespace quern::cuda
