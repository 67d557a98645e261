#include "cli/list_lines.hpp"

#include <fstream>

#include "host/core/error.hpp"

namespace quern::cli {
namespace {

Error unreadable(const std::string& file, const std::string& option, const std::string& text, const std::string& hint = {}) {
  return input_error("unreadable-list", option, text, hint).in_file(file);
}

// What a file begins with that is no plain text.
void refuse_other_kinds(const std::string& first_line, const std::string& file, const std::string& option) {
  if (first_line.starts_with("\x1f\x8b")) throw unreadable(file, option, "the list is gzip-compressed", "unpack it first: gunzip");
  if (first_line.starts_with("\xff\xfe") || first_line.starts_with("\xfe\xff"))
    throw unreadable(file, option, "the list is UTF-16 text", "save it as UTF-8");
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

void for_each_listed(const std::string& file, const std::string& option, const std::function<void(const std::string& name)>& use) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  std::ifstream lines(file);
  bool is_first = true;
  for (std::string line; std::getline(lines, line); is_first = false) {
    if (is_first) refuse_other_kinds(line, file, option);
    if (is_first && line.starts_with(byte_order_mark)) line.erase(0, byte_order_mark.size());
    if (line.find('\0') != std::string::npos) throw unreadable(file, option, "the list is no text", "one name a line, in UTF-8");
    if (const std::string_view name = trimmed(line); !name.empty()) use(std::string(name));
  }
  if (!lines.eof()) throw unreadable(file, option, "the list of names cannot be read");
}

}  // namespace quern::cli
