// Which backends this program has, and which one a run gets.
#pragma once
#include <string>

namespace quern::cli {

bool cuda_is_built();
std::string cuda_state();      // why CUDA can or cannot be used, in words
std::string processor_name();  // "AMD EPYC 7R13", as the kernel names it

}  // namespace quern::cli
