// libquern_cuda.so, opened when it is first asked for: beside the program, else in ../lib/quern.
#pragma once
#include "cuda/module.hpp"

namespace quern::cli {

// What there is; the module's own words where there is one. Asked once a process.
const cuda::CudaReport& cuda_report();

// Throws a device Error that says what cuda_report says unless it is ready.
std::unique_ptr<Backend> open_cuda_backend(const cuda::CudaOptions& options);

}  // namespace quern::cli
