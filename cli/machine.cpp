#include "cli/machine.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

namespace quern::cli {
namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string first_line(const std::string& path) {
  std::string line;
  std::getline(std::ifstream(path) >> std::ws, line);
  return line;
}

template <class Number>
void keep_least(std::optional<Number>& least, std::optional<Number> found) {
  constexpr auto no_limit = static_cast<Number>(std::uint64_t{1} << 60);  // version 1 writes a huge number
  if (found && *found < no_limit && (!least || *found < *least)) least = found;
}

// One controller's folder and the folders above it, up to its mount point.
std::vector<std::string> folders_up(const std::string& mount, std::string path) {
  std::vector<std::string> folders;
  while (!path.empty() && path != "/") {
    folders.push_back(mount + path);
    path.erase(path.rfind('/'));
  }
  folders.push_back(mount);
  return folders;
}

// "QUOTA PERIOD" or "max PERIOD" of version 2.
std::optional<double> quota_v2(const std::string& line) {
  const auto space = line.find(' ');
  if (space == std::string::npos) return std::nullopt;
  const auto quota = number_in<double>(line.substr(0, space)), period = number_in<double>(line.substr(space + 1));
  if (!quota || !period || *period <= 0) return std::nullopt;
  return *quota / *period;
}

std::optional<double> quota_v1(const std::string& folder) {
  const auto quota = number_in<double>(first_line(folder + "/cpu.cfs_quota_us"));
  const auto period = number_in<double>(first_line(folder + "/cpu.cfs_period_us"));
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return *quota / *period;
}

bool has_word(const std::string& list, const std::string& word) { return ("," + list + ",").find("," + word + ",") != std::string::npos; }

void read_cgroups(const std::string& root, MachineLimits& limits) {
  const std::string mount = root + "/sys/fs/cgroup";
  std::ifstream lines(root + "/proc/self/cgroup");
  for (std::string line; std::getline(lines, line);) {  // NUMBER:CONTROLLERS:PATH
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    if (controllers.empty())
      for (const std::string& folder : folders_up(mount, path)) {
        keep_least(limits.cgroup_processors, quota_v2(first_line(folder + "/cpu.max")));
        keep_least(limits.cgroup_bytes, number_in<std::uint64_t>(first_line(folder + "/memory.max")));
      }
    if (has_word(controllers, "cpu"))
      for (const std::string& folder : folders_up(mount + "/cpu", path)) keep_least(limits.cgroup_processors, quota_v1(folder));
    if (has_word(controllers, "memory"))
      for (const std::string& folder : folders_up(mount + "/memory", path))
        keep_least(limits.cgroup_bytes, number_in<std::uint64_t>(first_line(folder + "/memory.limit_in_bytes")));
  }
}

int affinity_of_process(int processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return processors;  // more processors than the set can name
  return std::max(1, CPU_COUNT(&set));
}

}  // namespace

int MachineLimits::threads() const {
  int least = affinity;
  if (cgroup_processors) least = std::min(least, static_cast<int>(std::ceil(*cgroup_processors)));
  if (slurm_cpus) least = std::min(least, *slurm_cpus);
  return std::max(1, least);
}
std::uint64_t MachineLimits::memory_bytes() const { return cgroup_bytes ? std::min(*cgroup_bytes, physical_bytes) : physical_bytes; }
std::uint64_t MachineLimits::default_budget_bytes() const { return std::min(std::uint64_t{2} << 30, memory_bytes() / 2); }

MachineLimits read_machine_limits(const std::string& root) {
  MachineLimits limits;
  limits.processors = std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
  limits.affinity = affinity_of_process(limits.processors);
  limits.physical_bytes = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  if (const char* slurm = std::getenv("SLURM_CPUS_PER_TASK"))
    if (const auto cpus = number_in<int>(slurm); cpus && *cpus > 0) limits.slurm_cpus = cpus;
  read_cgroups(root, limits);
  return limits;
}

}  // namespace quern::cli
