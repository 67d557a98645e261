// `quern doctor --selftest`: the devices against the processor, bit by bit, on generated chunks.
#pragma once
#include <string>
#include <vector>

#include "cli/shared_options.hpp"

namespace quern::cli {

struct SelftestCase {
  std::string name;
  std::int64_t values = 0;
  std::string failure;  // empty: the same bits
};

// Counts, large and negative whole numbers, other numbers, those of 64 bits; with every statistic. Throws what open_cuda_backend throws.
std::vector<SelftestCase> run_selftest(const SharedOptions& options);

}  // namespace quern::cli
