#include "cli/wrap.hpp"

#include <sstream>

namespace quern::cli {
namespace {
constexpr std::size_t column = 30, width = 100;
}

std::string help_line(const std::string& left, const std::string& help) {
  std::string text = "  " + left;
  std::size_t at = text.size();
  const std::string margin = "\n" + std::string(column, ' ');
  if (at + 2 > column) {
    text += margin;
    at = column;
  }
  text.append(column > at ? column - at : 0, ' ');
  at = column;
  std::istringstream words(help);
  for (std::string word; words >> word; at += word.size() + 1) {
    if (at + word.size() > width && at > column) {
      text += margin;
      at = column;
    }
    text += (at > column ? " " : "") + word;
  }
  return text + "\n";
}

}  // namespace quern::cli
