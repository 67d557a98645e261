#include "cli/backends.hpp"

#include <fstream>

#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"

namespace quern::cli {

bool cuda_is_built() { return false; }

std::string cuda_state() { return "this program was built without its CUDA module"; }

std::string processor_name() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "processor";
}

BackendChoice choose_backend(const std::string& wanted, int threads) {
  if (wanted == "cuda")
    throw Error(ErrorKind::device, "not-built", "--backend cuda", cuda_state(), "leave --backend out, or give --backend cpu");
  return {make_cpu_backend(threads), wanted == "cpu" ? "asked for" : cuda_state()};
}

}  // namespace quern::cli
