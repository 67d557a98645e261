// `quern devices`: what can compute here.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/backends.hpp"
#include "cli/command.hpp"
#include "cli/machine.hpp"

namespace quern::cli {
namespace {

class Devices final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override { declare_reporting(set, shared); }
  void run(Session& session) override {
    const MachineLimits limits = read_machine_limits();
    const std::string name = processor_name();
    const Json cpu = {{"backend", "cpu"}, {"name", name}, {"threads", limits.threads()}};
    session.report.result() = {{"devices", Json::array({cpu})}, {"cuda", {{"built", cuda_is_built()}, {"reason", cuda_state()}}}};
    session.say(fmt::format("cpu   {}, {} threads\ncuda  {}\n", name, limits.threads(), cuda_state()));
  }
};

}  // namespace

std::unique_ptr<Command> make_devices() { return std::make_unique<Devices>(); }

}  // namespace quern::cli
