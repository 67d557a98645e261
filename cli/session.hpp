// One run of one verb: its options, what it says, what it writes.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/json_report.hpp"
#include "cli/shared_options.hpp"
#include "io/safe_file.hpp"
#include "io/tables/text_output.hpp"

namespace quern::cli {

// The files behind an INPUT: itself, or what belongs to a 10x matrix directory.
std::vector<std::string> input_files(const std::string& input);

class Session {
 public:
  explicit Session(const std::string& verb) : console(verb), report(verb) {}

  SharedOptions options;
  Console console;
  Report report;
  std::string command;        // as it was given, for provenance
  bool stdout_taken = false;  // an output is "-": the summary for people is left out

  void warn(const std::string& code, const std::string& text);  // on standard error and in the report
  void warn(const std::vector<io::Warning>& warnings);
  void say(const std::string& text) { summary_ += printable(text, true); }  // for people, on standard output, when all went well
  const std::string& summary() const { return summary_; }

  io::OutputOptions output_options() const;
  // Opens an output of the verb; stale parts become warnings.
  std::unique_ptr<io::TextOutput> open_output(const std::string& target);
  std::string open_log;             // the log file, once it is open
  std::vector<std::string> inputs;  // what no output may replace: INPUT (put here before run), lists of names and the like

 private:
  std::string summary_;
};

}  // namespace quern::cli
