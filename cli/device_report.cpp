#include "cli/device_report.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/json_report.hpp"
#include "cli/sizes.hpp"

namespace quern::cli {
namespace {

std::string version_text(int number) { return fmt::format("{}.{}", number / 1000, number % 1000 / 10); }

Json version_or_null(int number) { return number > 0 ? Json(version_text(number)) : Json(nullptr); }

}  // namespace

const char* state_name(cuda::CudaState state) {
  switch (state) {
    case cuda::CudaState::ready:
      return "ready";
    case cuda::CudaState::no_module:
      return "not-built";
    case cuda::CudaState::wrong_module:
      return "wrong-module";
    case cuda::CudaState::no_driver:
      return "no-driver";
    case cuda::CudaState::old_driver:
      return "old-driver";
    case cuda::CudaState::no_device:
      return "no-device";
    case cuda::CudaState::forbidden_device:
      return "forbidden-device";
    case cuda::CudaState::broken:
      return "broken-driver";
  }
  return "";
}

Json cuda_facts(const cuda::CudaReport& report) {
  return {{"built", report.state != cuda::CudaState::no_module},
          {"state", state_name(report.state)},
          {"reason", report.text},
          {"hint", report.hint},
          {"driver_version", version_or_null(report.driver_version)},
          {"runtime_version", version_or_null(report.runtime_version)}};
}

Json device_facts(const cuda::DeviceReport& device) {
  const cuda::DeviceFacts& facts = device.facts;
  return {{"backend", "cuda"},
          {"name", facts.name},
          {"index", facts.index},
          {"uuid", facts.uuid},
          {"bus", facts.bus},
          {"compute_capability", fmt::format("{}.{}", facts.major, facts.minor)},
          {"multiprocessors", facts.multiprocessors},
          {"memory_bytes", facts.total_bytes},
          {"usable", device.refusal.empty()},
          {"reason", device.refusal}};
}

std::string device_line(const cuda::DeviceReport& device) {
  const cuda::DeviceFacts& facts = device.facts;
  return fmt::format("{}, {}, compute capability {}.{}, {} multiprocessors, {}{}", facts.name, facts.uuid, facts.major, facts.minor,
                     facts.multiprocessors, format_size(facts.total_bytes), device.refusal.empty() ? "" : "; not used: " + device.refusal);
}

std::string cuda_lines(const cuda::CudaReport& report) {
  if (report.state == cuda::CudaState::ready)
    return fmt::format("ready: driver for CUDA {}, runtime {}\n", version_text(report.driver_version),
                       version_text(report.runtime_version));
  return report.text + "\n" + (report.hint.empty() ? "" : std::string(11, ' ') + report.hint + "\n");
}

}  // namespace quern::cli
