// Help in two columns.
#pragma once
#include <string>

namespace quern::cli {

// "  LEFT    help ...", the help wrapped to 100 characters in a column of its own; on lines of its own when LEFT is long.
std::string help_line(const std::string& left, const std::string& help);

}  // namespace quern::cli
