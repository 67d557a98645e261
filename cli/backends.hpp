// Which backends this program has, and which one a run gets.
#pragma once
#include <memory>
#include <string>

#include "host/core/backend.hpp"

namespace quern::cli {

bool cuda_is_built();
std::string cuda_state();      // why CUDA can or cannot be used, in words
std::string processor_name();  // "AMD EPYC 7R13", as the kernel names it

struct BackendChoice {
  std::unique_ptr<Backend> backend;
  std::string reason;  // why this one, in words
};

// `wanted` is auto, cpu or cuda. Throws a device Error ("not-built") when CUDA was asked for and is not there.
BackendChoice choose_backend(const std::string& wanted, int threads);

}  // namespace quern::cli
