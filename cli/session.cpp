#include "cli/session.hpp"

namespace quern::cli {

void Session::warn(const std::string& code, const std::string& text) {
  report.add_warning(code, text);
  console.warning(code, text);
}

void Session::warn(const std::vector<io::Warning>& warnings) {
  for (const io::Warning& warning : warnings) warn(warning.code, warning.text);
}

io::OutputOptions Session::output_options() const {
  io::OutputOptions result;
  result.force = options.force;
  result.inputs = more_inputs;
  if (!options.input.empty()) result.inputs.push_back(options.input);
  result.tmp_dir = options.tmp_dir;
  return result;
}

std::unique_ptr<io::TextOutput> Session::open_output(const std::string& target) {
  auto output = std::make_unique<io::TextOutput>(target, output_options());
  warn(output->warnings());
  return output;
}

}  // namespace quern::cli
