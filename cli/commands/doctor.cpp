// `quern doctor`: what this machine and this program offer, and what they lack.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/backends.hpp"
#include "cli/command.hpp"
#include "cli/device_report.hpp"
#include "cli/machine.hpp"
#include "cli/selftest.hpp"
#include "cli/sizes.hpp"
#include "cli/version.hpp"
#include "io/decode/chunk_decoder.hpp"
#include "io/hdf5/version.hpp"

namespace quern::cli {
namespace {

struct Filter {
  const char* name;
  io::FilterId id;
};
constexpr Filter filters[] = {{"gzip", io::FilterId::deflate}, {"shuffle", io::FilterId::shuffle}, {"fletcher32", io::FilterId::fletcher32},
                              {"lzf", io::FilterId::lzf},      {"blosc", io::FilterId::blosc},     {"lz4", io::FilterId::lz4},
                              {"zstd", io::FilterId::zstd}};

std::vector<std::string> decoded_filters() {
  std::vector<std::string> names;
  for (const Filter& filter : filters) {
    io::FilterPipeline pipeline;
    pipeline.steps.push_back({static_cast<int>(filter.id), {}});
    if (io::can_decode(pipeline)) names.emplace_back(filter.name);
  }
  return names;
}

std::vector<std::string> vector_instructions() {
  std::vector<std::string> names;
  if (__builtin_cpu_supports("sse4.2")) names.emplace_back("sse4.2");
  if (__builtin_cpu_supports("avx2")) names.emplace_back("avx2");
  if (__builtin_cpu_supports("avx512f")) names.emplace_back("avx512f");
  return names;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json facts(const MachineLimits& limits, std::optional<int> environment) {
  return {{"processor",
           {{"name", processor_name()},
            {"instructions", vector_instructions()},
            {"processors", limits.processors},
            {"affinity", limits.affinity},
            {"cgroup_processors", or_null(limits.cgroup_processors)},
            {"slurm_cpus_per_task", or_null(limits.slurm_cpus)},
            {"quern_threads", or_null(environment)},
            {"threads", environment.value_or(limits.threads())}}},
          {"memory",
           {{"physical_bytes", limits.physical_bytes},
            {"cgroup_bytes", or_null(limits.cgroup_bytes)},
            {"default_budget_bytes", limits.default_budget_bytes()}}},
          {"hdf5", {{"version", io::hdf5_version()}, {"filters", decoded_filters()}}},
          {"cuda", cuda_facts(cuda_report())}};
}

std::string for_people(const MachineLimits& limits, std::optional<int> environment) {
  const auto quota = limits.cgroup_processors ? fmt::format(", cgroup {:.1f}", *limits.cgroup_processors) : std::string();
  const auto slurm = limits.slurm_cpus ? fmt::format(", Slurm {}", *limits.slurm_cpus) : std::string();
  const auto chosen = environment ? fmt::format(", QUERN_THREADS {}", *environment) : std::string();
  const auto cgroup = limits.cgroup_bytes ? fmt::format(", cgroup {}", format_size(*limits.cgroup_bytes)) : std::string();
  return fmt::format(
      "quern      {} {}\n"
      "processor  {} ({})\n"
      "threads    {} (processors {}, affinity {}{}{}{})\n"
      "memory     {} a run by default (physical {}{})\n"
      "hdf5       {}; decodes {}\n"
      "cuda       {}",
      version(), git_commit(), processor_name(), fmt::join(vector_instructions(), " "), environment.value_or(limits.threads()),
      limits.processors, limits.affinity, quota, slurm, chosen, format_size(limits.default_budget_bytes()),
      format_size(limits.physical_bytes), cgroup, io::hdf5_version(), fmt::join(decoded_filters(), " "), cuda_lines(cuda_report()));
}

class Doctor final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    set.group("What is tried");
    set.flag("--selftest", selftest_,
             "compute generated data on the devices and on the processor, and compare bits (exit 6 where they differ)");
    set.text("--gpu-memory", "SIZE|PERCENT", shared.gpu_memory, "device memory for the test (default: 80%)");
    declare_reporting(set, shared);
  }
  void run(Session& session) override {
    const MachineLimits limits = read_machine_limits();
    Json& result = session.report.result();
    const std::optional<int> environment = chosen_threads(session);
    result = facts(limits, environment);
    session.say(for_people(limits, environment));
    for (const cuda::DeviceReport& device : cuda_report().devices) {
      result["cuda"]["devices"].push_back(device_facts(device));
      session.say(fmt::format("device {:<3} {}\n", device.facts.index, device_line(device)));
    }
    if (selftest_) test_devices(session);
  }
  int exit_status() const override { return failed_ ? static_cast<int>(ErrorKind::device) : 0; }

 private:
  // What the environment asks for; what cannot be understood is said, since other verbs refuse it.
  static std::optional<int> chosen_threads(Session& session) {
    try {
      return threads_of_environment();
    } catch (const Error& error) {
      session.warn(error.code(), error.object() + ": " + error.what());
      return std::nullopt;
    }
  }
  void test_devices(Session& session) {
    for (const SelftestCase& test : run_selftest(session.options)) {
      const bool passed = test.failure.empty();
      failed_ = failed_ || !passed;
      session.report.result()["selftest"].push_back(
          {{"name", test.name}, {"values", test.values}, {"passed", passed}, {"failure", test.failure}});
      session.say(fmt::format("selftest   {}: {}\n", test.name, passed ? "the same bits" : test.failure));
    }
  }
  bool selftest_ = false, failed_ = false;
};

}  // namespace

std::unique_ptr<Command> make_doctor() { return std::make_unique<Doctor>(); }

}  // namespace quern::cli
