// Fields of a TSV table as text. Each function appends one field without separators.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace quern::io {

void append_number(std::string& text, std::int64_t number);
// The shortest text that reads back to the same double: "3", "0.1", "1e+22"; "nan" whatever its sign; "inf", "-inf".
void append_number(std::string& text, double number);
// As it is, or quoted as in CSV when it holds a tab, a quote or a line break.
void append_text(std::string& text, std::string_view field);

}  // namespace quern::io
