#include "cuda/check.hpp"

namespace quern::cuda {
namespace {

constexpr const char* run_elsewhere = "give --backend cpu, or run again on another device";

}  // namespace

bool is_sticky(Status status) {
  switch (status) {
    case Status::ecc_uncorrectable:
    case Status::nvlink_uncorrectable:
    case Status::contained:
    case Status::illegal_address:
    case Status::launch_timeout:
    case Status::device_assert:
    case Status::hardware_stack:
    case Status::illegal_instruction:
    case Status::misaligned_address:
    case Status::invalid_address_space:
    case Status::invalid_program_counter:
    case Status::launch_failure:
    case Status::unknown:
      return true;
    default:
      return false;
  }
}

Error error_of(Status status, const std::string& device, const std::string& what) {
  const std::string text = what + ": " + runtime::error_text(status) + " (" + runtime::error_name(status) + ")";
  switch (status) {
    case Status::out_of_memory:
      return Error(ErrorKind::resources, "device-memory", device, text, "lower --gpu-memory or --chunk-nnz, or give --backend cpu");
    case Status::ecc_uncorrectable:
    case Status::nvlink_uncorrectable:
    case Status::contained:
      return Error(ErrorKind::device, "device-memory-broken", device, text, "its memory or link is at fault: nvidia-smi -q tells more");
    case Status::launch_timeout:
      return Error(ErrorKind::device, "device-timeout", device, text, "a display's watchdog stops kernels: use a device without a display");
    case Status::devices_unavailable:
    case Status::not_permitted:
      return Error(ErrorKind::device, "forbidden-device", device, text,
                   "another process has it for itself, or it is forbidden: nvidia-smi -q -d COMPUTE");
    case Status::old_driver:
    case Status::unsupported_ptx:
      return Error(ErrorKind::device, "old-driver", device, text, "update NVIDIA's driver");
    case Status::no_kernel_image:
    case Status::no_device:
    case Status::invalid_device:
      return Error(ErrorKind::device, "no-device", device, text, "quern devices lists what there is");
    case Status::system_not_ready:
    case Status::driver_mismatch:
    case Status::unknown:
      return Error(ErrorKind::device, "device-lost", device, text, "nvidia-smi tells whether it still answers");
    default:
      if (is_sticky(status))
        return Error(ErrorKind::device, "device-fault", device, text, "please report it; --backend cpu gives the same answer");
      return Error(ErrorKind::device, "device-error", device, text, run_elsewhere);
  }
}

}  // namespace quern::cuda
