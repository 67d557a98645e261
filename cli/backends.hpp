// Which backends this program has, and which one a run gets.
#pragma once
#include <memory>
#include <string>

#include "cli/cuda_module.hpp"
#include "cli/shared_options.hpp"
#include "host/pipeline/verified_backend.hpp"

namespace quern::cli {

std::string processor_name();  // "AMD EPYC 7R13", as the kernel names it

struct BackendChoice {
  std::unique_ptr<VerifyCount> verified;  // what --verify did; outlives the backend
  std::unique_ptr<Backend> backend;
  std::string reason;           // why this one, in words
  bool device_refused = false;  // auto: there is a device, but it could not be started
};

// What `--backend`, `--threads` and `--gpu-memory` say. Throws a device Error when CUDA was asked for and cannot be had.
BackendChoice choose_backend(const SharedOptions& options);

cuda::CudaOptions cuda_options(const SharedOptions& options);

}  // namespace quern::cli
