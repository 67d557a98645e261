// What this process may use: processors and memory, as the scheduler, the container and the kernel allow.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace quern::cli {

struct MachineLimits {
  int processors = 1;                       // of the machine
  int affinity = 1;                         // of this process
  std::optional<double> cgroup_processors;  // quota over period, the least up the tree
  std::optional<int> slurm_cpus;            // SLURM_CPUS_PER_TASK
  std::uint64_t physical_bytes = 0;
  std::optional<std::uint64_t> cgroup_bytes;  // the least limit up the tree

  int threads() const;                         // what `auto` means: the least of the above, at least 1
  std::uint64_t memory_bytes() const;          // what the run may see: the cgroup's limit, else physical memory
  std::uint64_t default_budget_bytes() const;  // min(2 GiB, half of memory_bytes)
};

// Reads /proc and /sys below `root` (for tests) and the environment.
MachineLimits read_machine_limits(const std::string& root = {});

}  // namespace quern::cli
