// `quern devices`: what can compute here.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/backends.hpp"
#include "cli/command.hpp"
#include "cli/device_report.hpp"
#include "cli/machine.hpp"

namespace quern::cli {
namespace {

class Devices final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override { declare_reporting(set, shared); }
  void run(Session& session) override {
    const MachineLimits limits = read_machine_limits();
    const std::string name = processor_name();
    const cuda::CudaReport& report = cuda_report();
    Json devices = Json::array({{{"backend", "cpu"}, {"name", name}, {"threads", limits.threads()}}});
    session.say(fmt::format("cpu        {}, {} threads\n", name, limits.threads()));
    for (const cuda::DeviceReport& device : report.devices) {
      devices.push_back(device_facts(device));
      session.say(fmt::format("cuda {:<5} {}\n", device.facts.index, device_line(device)));
    }
    if (report.state != cuda::CudaState::ready) session.say("cuda       " + cuda_lines(report));
    session.report.result() = {{"devices", devices}, {"cuda", cuda_facts(report)}};
  }
};

}  // namespace

std::unique_ptr<Command> make_devices() { return std::make_unique<Devices>(); }

}  // namespace quern::cli
