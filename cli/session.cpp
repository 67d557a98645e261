#include "cli/session.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

namespace quern::cli {

std::vector<std::string> input_files(const std::string& input) {
  constexpr std::array<std::string_view, 4> parts{"matrix.mtx", "barcodes.tsv", "features.tsv", "genes.tsv"};
  namespace fs = std::filesystem;
  std::vector<std::string> files{input};
  std::error_code error;
  const fs::path path(input);
  const bool is_part = path.filename().string().find(parts[0]) != std::string::npos;
  if (!is_part && !fs::is_directory(path, error)) return files;
  const fs::path folder = !is_part ? path : path.has_parent_path() ? path.parent_path() : fs::path(".");
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return name.find(part) != std::string::npos; }))
      files.push_back(entry->path().string());
  }
  return files;
}

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
  for (const std::string& input : inputs)
    for (std::string& file : input_files(input)) result.inputs.push_back(std::move(file));
  result.tmp_dir = options.tmp_dir;
  result.log_file = open_log;
  return result;
}

std::unique_ptr<io::TextOutput> Session::open_output(const std::string& target) {
  auto output = std::make_unique<io::TextOutput>(target, output_options());
  warn(output->warnings());
  return output;
}

}  // namespace quern::cli
