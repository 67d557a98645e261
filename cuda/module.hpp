// What the program and libquern_cuda.so say to each other. The module's entry is quern_cuda_module; what lies behind it is C++ of the
// same build, so it answers nothing to a program of another one; quern_cuda_module_build tells which build it is of.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cuda/runtime.hpp"
#include "host/core/backend.hpp"

namespace quern::cuda {

enum class CudaState { ready, no_module, wrong_module, no_driver, old_driver, no_device, forbidden_device, broken };

struct DeviceReport {
  DeviceFacts facts;
  std::string refusal;  // why it cannot be used, in words; empty: it can
};

// What there is to compute on; asked of the driver, nothing is started on a device.
struct CudaReport {
  CudaState state = CudaState::ready;
  std::string text, hint;                       // in words: what is so, and what to do about it
  int driver_version = 0, runtime_version = 0;  // 13000 for 13.0; 0: none
  std::vector<DeviceReport> devices;
};

struct CudaOptions {
  int threads = 1;              // that call submit
  std::uint64_t gpu_bytes = 0;  // of each device; 0: gpu_percent of what it has
  int gpu_percent = 80;
  std::int64_t rows_between_carries = std::int64_t{1} << 29;  // see launch_carry; less for tests
};

struct ModuleEntry {
  CudaReport (*report)();
  // Throws Error when no device can be used.
  std::unique_ptr<Backend> (*make_backend)(const CudaOptions& options);
};

constexpr const char* module_entry_name = "quern_cuda_module";
constexpr const char* module_build_name = "quern_cuda_module_build";
// `build`: module_build() of the caller. Null where this module is of another build.
using ModuleFunction = const ModuleEntry*(const char* build);
using ModuleBuildFunction = const char*();

// The compiler, its flags, and a hash of every header that program and module both see (module_build.cmake makes it in every build).
const char* module_build();

CudaReport report_devices();
std::unique_ptr<Backend> make_cuda_backend(const CudaOptions& options);

}  // namespace quern::cuda
