// Which of the ways to be without a device this machine is in.
#include <unistd.h>

#include <cstdlib>

#include "cuda/architectures.hpp"
#include "cuda/check.hpp"
#include "cuda/module.hpp"

namespace quern::cuda {
namespace {

#ifndef QUERN_CUDA_ARCHS
#define QUERN_CUDA_ARCHS 80, 90, 100, 120
#endif
constexpr int built_for[] = {QUERN_CUDA_ARCHS};
constexpr int least_major = 8;  // compute capability 8.0: cuda/CMakeLists.txt

std::string version_text(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }

std::string refusal_of(const DeviceFacts& facts) {
  if (facts.mode == ComputeMode::prohibited) return "its compute mode is Prohibited";
  if (facts.major < least_major)
    return "its compute capability is " + std::to_string(facts.major) + "." + std::to_string(facts.minor) + ", at least " +
           std::to_string(least_major) + ".0 is needed";
  if (!has_code_for(built_for, facts.major, facts.minor))
    return "this program was built without code for its compute capability, " + std::to_string(facts.major) + "." +
           std::to_string(facts.minor) + " (QUERN_CUDA_ARCHS)";
  return {};
}

std::string in_words(Status status) { return runtime::error_text(status) + " (" + runtime::error_name(status) + ")"; }

void find_devices(CudaReport& report, int count) {
  bool any = false, all_too_old = true;
  for (int i = 0; i < count; ++i) {
    DeviceReport device;
    if (const Status status = runtime::device_facts(i, device.facts); status == Status::success)
      device.refusal = refusal_of(device.facts);
    else
      device.refusal = in_words(status);
    device.facts.index = i;
    any = any || device.refusal.empty();
    all_too_old = all_too_old && device.facts.mode != ComputeMode::prohibited;
    report.devices.push_back(std::move(device));
  }
  if (any) return;
  report.state = all_too_old ? CudaState::no_device : CudaState::forbidden_device;
  report.text = "no device can be used: " + report.devices.front().facts.name + ": " + report.devices.front().refusal;
  report.hint = all_too_old ? "" : "ask for it to be allowed: nvidia-smi -c DEFAULT, as root";
}

void without_driver(CudaReport& report) {
  const bool any = report.driver_version > 0;
  report.state = any ? CudaState::old_driver : CudaState::no_driver;
  report.text = any ? "NVIDIA's driver is too old: it does CUDA " + version_text(report.driver_version) + ", this program needs " +
                          version_text(report.runtime_version)
                    : "there is no NVIDIA driver on this machine";
  report.hint = any ? "update the driver" : "where there is a device, install its driver; in a container, pass it in (--gpus all)";
}

void without_device(CudaReport& report) {
  if (access("/dev/nvidiactl", F_OK) == 0 && access("/dev/nvidiactl", R_OK | W_OK) != 0) {
    report.state = CudaState::forbidden_device;
    report.text = "this user may not open /dev/nvidiactl";
    report.hint = "ask for access to the device files";
    return;
  }
  report.state = CudaState::no_device;
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  report.text = visible ? std::string("no device is visible: CUDA_VISIBLE_DEVICES is '") + visible + "'" : "the driver finds no device";
  report.hint = visible ? "unset CUDA_VISIBLE_DEVICES" : "nvidia-smi lists what the driver finds";
}

}  // namespace

CudaReport report_devices() {
  CudaReport report;
  report.runtime_version = runtime::version();
  if (runtime::driver_version(report.driver_version) != Status::success) report.driver_version = 0;
  int count = 0;
  const Status status = runtime::device_count(count);
  if (status == Status::success && count > 0) {
    find_devices(report, count);
  } else if (status == Status::old_driver || status == Status::stub_driver) {
    without_driver(report);
  } else if (status == Status::success || status == Status::no_device) {
    without_device(report);
  } else if (status == Status::devices_unavailable || status == Status::not_permitted) {
    report.state = CudaState::forbidden_device;
    report.text = "the device may not be used: " + in_words(status);
    report.hint = "nvidia-smi -q -d COMPUTE tells its mode";
  } else {
    report.state = CudaState::broken;
    report.text = "the driver does not work: " + in_words(status);
    report.hint = "nvidia-smi tells whether it answers; a restart may be due";
  }
  return report;
}

}  // namespace quern::cuda
