// Lists of names as people and other programs write them: one name a line.
#pragma once
#include <functional>
#include <string>
#include <string_view>

namespace quern::cli {

// Without the blanks, tabs and carriage returns at both ends.
std::string_view trimmed(std::string_view text);

// Calls `use` for the trimmed text of every line that is not empty; a byte order mark before the first is no part of it. `option` is what
// messages name. input_error("unreadable-list") for what cannot be read, or is no plain text.
void for_each_listed(const std::string& file, const std::string& option, const std::function<void(const std::string& name)>& use);

}  // namespace quern::cli
