// What is said on standard error (and in the log file): warnings, notes, errors, progress.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "host/core/error.hpp"

namespace quern::cli {

struct ConsoleOptions {
  bool quiet = false, verbose = false;
  std::string log_file, progress = "auto", color = "auto";
};

// Text with control characters made visible, so that a name inside a file cannot play with the terminal.
std::string printable(const std::string& text, bool keep_line_ends = false);

// One user at a time.
class Console {
 public:
  explicit Console(const std::string& verb) : name_(verb.empty() ? "quern" : "quern " + verb) {}
  ~Console();
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  void configure(const ConsoleOptions& options);  // throws output_error when the log file cannot be opened

  void error(const Error& error);
  void warning(const std::string& code, const std::string& text);
  void note(const std::string& text);  // with --verbose
  // At most ten times a second on a terminal, every 30 s elsewhere; `done` of `total` rows, `values` so far.
  void progress(std::int64_t done, std::int64_t total, std::int64_t values);
  void end_progress();

 private:
  void line(const char* colour, const std::string& head, const std::string& text);
  void log(const std::string& text);
  std::string name_;
  ConsoleOptions options_;
  bool colours_ = false, terminal_ = false, shows_progress_ = false, progress_on_screen_ = false;
  int log_descriptor_ = -1;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now(), last_shown_ = started_;
};

}  // namespace quern::cli
