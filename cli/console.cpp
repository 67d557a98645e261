#include "cli/console.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "cli/sizes.hpp"
#include "io/file_errors.hpp"

namespace quern::cli {
namespace {

constexpr const char *red = "\033[1;31m", *yellow = "\033[1;33m", *dim = "\033[2m", *plain = "\033[0m";

// Standard error may be closed or full; there is nowhere to say so.
void put(int descriptor, const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(descriptor, text.data(), text.size());
}

bool wants_colours(const std::string& choice, bool terminal) {
  if (choice != "auto") return choice == "always";
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return terminal && !(no_color && *no_color) && !(term && std::string(term) == "dumb");
}

}  // namespace

std::string printable(const std::string& text, bool keep_line_ends) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && !(keep_line_ends && c == '\n')) || byte == 0x7f)
      result += fmt::format("\\x{:02x}", byte);
    else
      result += c;
  }
  return result;
}

Console::~Console() {
  end_progress();
  if (log_descriptor_ >= 0) close(log_descriptor_);
}

void Console::configure(const ConsoleOptions& options) {
  options_ = options;
  terminal_ = isatty(STDERR_FILENO) == 1;
  colours_ = wants_colours(options.color, terminal_);
  shows_progress_ = !options.quiet && (options.progress == "always" || (options.progress == "auto" && terminal_));
  if (options.log_file.empty()) return;
  log_descriptor_ = open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log_descriptor_ < 0) throw io::write_error(options.log_file, "open the log file", errno);
}

void Console::log(const std::string& text) {
  if (log_descriptor_ < 0) return;
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  put(log_descriptor_, fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {}\n", fmt::gmtime(now), text));
}

void Console::line(const char* colour, const std::string& head, const std::string& text) {
  end_progress();
  put(STDERR_FILENO, (colours_ ? colour + head + plain : head) + text + "\n");
  log(head + text);
}

void Console::error(const Error& error) {
  std::string text;
  if (!error.path().empty()) text += printable(error.path()) + ": ";
  if (!error.object().empty() && error.object() != error.path()) text += printable(error.object()) + ": ";
  line(red, name_ + ": ", text + printable(error.what()) + " [" + error.code() + "]");
  if (!error.hint().empty()) line(dim, "  ", printable(error.hint()));
}

void Console::warning(const std::string& code, const std::string& text) {
  if (!options_.quiet) line(yellow, name_ + ": warning: ", printable(text) + " [" + code + "]");
}

void Console::note(const std::string& text) {
  if (options_.verbose && !options_.quiet) line(dim, name_ + ": ", printable(text));
}

void Console::progress(std::int64_t done, std::int64_t total, std::int64_t values) {
  if (!shows_progress_) return;
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30'000);
  if (now - last_shown_ < pause) return;
  last_shown_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double share = total > 0 ? static_cast<double>(done) / static_cast<double>(total) : 1.0;
  const std::string left = share > 0.02 ? ", " + format_seconds(seconds / share - seconds) + " left" : "";
  const std::string text = fmt::format("{:3.0f} %  {} of {} cells, {:.0f} M values/s{}", 100 * share, format_count(done),
                                       format_count(total), static_cast<double>(values) / seconds / 1e6, left);
  put(STDERR_FILENO, terminal_ ? "\r\033[K" + text : text + "\n");
  progress_on_screen_ = terminal_;
}

void Console::end_progress() {
  if (progress_on_screen_) put(STDERR_FILENO, "\r\033[K");
  progress_on_screen_ = false;
}

}  // namespace quern::cli
