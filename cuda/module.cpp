#include "cuda/module.hpp"

extern "C" __attribute__((visibility("default"))) const quern::cuda::ModuleEntry* quern_cuda_module(std::uint32_t abi, const char* build) {
  static constexpr quern::cuda::ModuleEntry entry{&quern::cuda::report_devices, &quern::cuda::make_cuda_backend};
  return abi == quern::cuda::module_abi && build == quern::cuda::module_build() ? &entry : nullptr;
}
