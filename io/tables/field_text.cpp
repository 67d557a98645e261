#include "io/tables/field_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace quern::io {
namespace {

template <class Number>
void append_chars(std::string& text, Number number) {
  std::array<char, 32> digits;  // the longest double has 24 characters
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  text.append(digits.data(), end);
}

}  // namespace

void append_number(std::string& text, std::int64_t number) { append_chars(text, number); }

void append_number(std::string& text, double number) {
  if (std::isnan(number))
    text += "nan";
  else
    append_chars(text, number);
}

void append_text(std::string& text, std::string_view field) {
  if (field.find_first_of("\t\"\n\r") == std::string_view::npos) {
    text += field;
    return;
  }
  text += '"';
  for (const char c : field) {
    if (c == '"') text += '"';
    text += c;
  }
  text += '"';
}

}  // namespace quern::io
