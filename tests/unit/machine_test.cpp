#include "cli/machine.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace quern::cli {
namespace {

namespace fs = std::filesystem;

class MachineTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("SLURM_CPUS_PER_TASK");
    std::string name = (fs::temp_directory_path() / "quern-test-XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }
  void put(const std::string& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  fs::path root_;
};

TEST_F(MachineTest, WithoutLimits) {
  const MachineLimits limits = read_machine_limits(root_.string());
  EXPECT_FALSE(limits.cgroup_processors);
  EXPECT_FALSE(limits.cgroup_bytes);
  EXPECT_EQ(limits.threads(), limits.affinity);
  EXPECT_EQ(limits.memory_bytes(), limits.physical_bytes);
}

TEST_F(MachineTest, Version2TakesTheLeastUpTheTree) {
  put("proc/self/cgroup", "0::/job/step\n");
  put("sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  put("sys/fs/cgroup/job/cpu.max", "150000 100000\n");
  put("sys/fs/cgroup/job/step/memory.max", "1073741824\n");
  put("sys/fs/cgroup/job/memory.max", "max\n");
  MachineLimits limits = read_machine_limits(root_.string());
  EXPECT_EQ(limits.cgroup_processors, 1.5);
  EXPECT_EQ(limits.cgroup_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(limits.default_budget_bytes(), std::uint64_t{1} << 29);
  limits.affinity = 8;
  EXPECT_EQ(limits.threads(), 2);
}

TEST_F(MachineTest, Version1) {
  put("proc/self/cgroup", "4:memory:/box\n3:cpu,cpuacct:/box\n");
  put("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "300000\n");
  put("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  put("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "9223372036854771712\n");
  const MachineLimits limits = read_machine_limits(root_.string());
  EXPECT_EQ(limits.cgroup_processors, 3.0);
  EXPECT_FALSE(limits.cgroup_bytes);
}

TEST_F(MachineTest, SlurmLimitsThreads) {
  setenv("SLURM_CPUS_PER_TASK", "1", 1);
  MachineLimits limits = read_machine_limits(root_.string());
  limits.affinity = 8;
  EXPECT_EQ(limits.threads(), 1);
  unsetenv("SLURM_CPUS_PER_TASK");
}

}  // namespace
}  // namespace quern::cli
