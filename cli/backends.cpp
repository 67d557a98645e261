#include "cli/backends.hpp"

#include <fstream>

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

}  // namespace quern::cli
