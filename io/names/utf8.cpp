#include "io/names/utf8.hpp"

#include <algorithm>

namespace quern::io {
namespace {

struct Sequence {
  std::size_t length = 1;  // bytes taken
  bool valid = false;
};

// Table 3-7 of the Unicode standard: what the first byte allows as second byte, and how many follow.
Sequence next_sequence(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return {1, true};
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : first >= 0xE0 && first <= 0xEF ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0) return {1, false};
  const unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= bytes.size() || at(i) < (i == 1 ? low : 0x80) || at(i) > (i == 1 ? high : 0xBF)) return {i, false};
  }
  return {length, true};
}

}  // namespace

std::string lenient_utf8(std::string_view bytes) {
  if (std::all_of(bytes.begin(), bytes.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return std::string(bytes);
  std::string out;
  while (!bytes.empty()) {
    const Sequence sequence = next_sequence(bytes);
    out += sequence.valid ? bytes.substr(0, sequence.length) : std::string_view("\xEF\xBF\xBD");
    bytes.remove_prefix(sequence.length);
  }
  return out;
}

std::string ascii_with_references(std::string_view text) {
  const std::string valid = lenient_utf8(text);
  std::string out;
  for (std::string_view rest = valid; !rest.empty();) {
    const std::size_t length = next_sequence(rest).length;
    if (length == 1) {
      out += rest[0];
    } else {
      unsigned code = static_cast<unsigned char>(rest[0]) & (0x7FU >> length);
      for (std::size_t i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(rest[i]) & 0x3FU);
      out += "&#" + std::to_string(code) + ";";
    }
    rest.remove_prefix(length);
  }
  return out;
}

}  // namespace quern::io
