#include "cli/backends.hpp"

#include <fstream>

#include "cli/sizes.hpp"
#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/pipeline/fallback_backend.hpp"

namespace quern::cli {

std::string processor_name() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "processor";
}

cuda::CudaOptions cuda_options(const SharedOptions& options) {
  cuda::CudaOptions result;
  result.threads = options.threads;
  const std::string& text = options.gpu_memory;
  if (text.ends_with('%'))
    result.gpu_percent = static_cast<int>(parse_integer(text.substr(0, text.size() - 1), "--gpu-memory", 1));
  else
    result.gpu_bytes = parse_size(text, "--gpu-memory");
  return result;
}

namespace {

BackendChoice open_cuda(const SharedOptions& options) {
  BackendChoice choice{std::make_unique<VerifyCount>(), open_cuda_backend(cuda_options(options)), {}};
  if (options.verify > 0)
    choice.backend = make_verified_backend(std::move(choice.backend), make_cpu_backend(options.threads), options.verify, *choice.verified);
  return choice;
}

}  // namespace

BackendChoice choose_backend(const SharedOptions& options) {
  BackendChoice on_processor{std::make_unique<VerifyCount>(), make_cpu_backend(options.threads), "asked for"};
  if (options.backend == "cpu") return on_processor;
  if (options.backend == "cuda") {
    BackendChoice choice = open_cuda(options);
    choice.reason = "asked for";
    return choice;
  }
  on_processor.reason = cuda_report().text;
  if (cuda_report().state != cuda::CudaState::ready) return on_processor;
  try {
    BackendChoice choice = open_cuda(options);
    choice.reason = "there is " + choice.backend->device();
    choice.backend = make_fallback_backend(std::move(choice.backend), std::move(on_processor.backend));
    return choice;
  } catch (const Error& error) {
    on_processor.reason = error.object() + ": " + error.what();
    on_processor.device_refused = true;
    return on_processor;
  }
}

}  // namespace quern::cli
