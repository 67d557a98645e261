// What `devices` and `doctor` say of CUDA.
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/cuda_module.hpp"

namespace quern::cli {

const char* state_name(cuda::CudaState state);  // "ready", "no-driver" ...
nlohmann::ordered_json cuda_facts(const cuda::CudaReport& report);
nlohmann::ordered_json device_facts(const cuda::DeviceReport& device);
std::string device_line(const cuda::DeviceReport& device);
std::string cuda_lines(const cuda::CudaReport& report);  // what is so and what to do; the second one indented by 11

}  // namespace quern::cli
