// `quern info`: what a file holds, from its metadata.
#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/commands/info_report.hpp"
#include "io/object_tree.hpp"

namespace quern::cli {
namespace {

class Info final : public Command {
 public:
  void declare(OptionSet& set, SharedOptions& shared) override {
    declare_file_input(set, shared);
    set.positional("OBJECT", object_, "an object of an HDF5 file, such as obs or uns/neighbors: what it is and what is in it", false);
    set.group("What is shown");
    set.flag("--tree", tree_, "every object below the root or OBJECT, whatever kind of HDF5 file it is");
    declare_reporting(set, shared);
  }

  void run(Session& session) override {
    if (tree_ || !object_.empty())
      show_objects(session);
    else
      show_file(session);
  }

 private:
  void show_objects(Session& session) const {
    io::TreeOptions options;
    options.allow_external = session.options.allow_external;
    if (!tree_) options.max_depth = 1;
    const std::vector<std::string> lines = io::object_tree(session.options.input, object_, options);
    session.report.result() = {{"object", object_.empty() ? "/" : object_}, {"tree", lines}};
    for (const std::string& line : lines) session.say(printable(line) + "\n");
  }

  static void show_file(Session& session) {
    io::InputOptions options = input_options(session.options);
    options.depth = io::ProbeDepth::metadata;
    const auto input = io::Input::open(session.options.input, options);
    session.report.set_input(input->info());
    session.report.result() = info_result(input->info());
    session.warn(input->warnings());
    session.say(info_text(input->info()));
  }

  std::string object_;
  bool tree_ = false;
};

}  // namespace

std::unique_ptr<Command> make_info() { return std::make_unique<Info>(); }

}  // namespace quern::cli
