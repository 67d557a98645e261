#include "cuda/module.hpp"

#include <string_view>

#define QUERN_EXPORTED extern "C" __attribute__((visibility("default")))

QUERN_EXPORTED const char* quern_cuda_module_build() { return quern::cuda::module_build(); }

QUERN_EXPORTED const quern::cuda::ModuleEntry* quern_cuda_module(const char* build) {
  static constexpr quern::cuda::ModuleEntry entry{&quern::cuda::report_devices, &quern::cuda::make_cuda_backend};
  return std::string_view(build) == quern::cuda::module_build() ? &entry : nullptr;
}
