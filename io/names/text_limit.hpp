// How much text one read may bring into memory.
#pragma once
#include <cstddef>
#include <string>

namespace quern::io {

constexpr std::size_t most_text_bytes = std::size_t{1} << 22;         // of several strings read at once
constexpr std::size_t most_single_text_bytes = std::size_t{1} << 24;  // of one string

constexpr std::size_t text_limit(std::size_t n_strings) { return n_strings > 1 ? most_text_bytes : most_single_text_bytes; }

// Throws resource_error("text-too-long") naming `object`: fewer strings must be read at once, or one is longer than anything should be.
[[noreturn]] void throw_text_too_long(const std::string& object, std::size_t n_strings);

// Adds up the strings of one read.
class TextLimit {
 public:
  TextLimit(const std::string& object, std::size_t n_strings) : object_(object), n_strings_(n_strings), left_(text_limit(n_strings)) {}
  void add(std::size_t bytes) {
    if (bytes > left_) throw_text_too_long(object_, n_strings_);
    left_ -= bytes;
  }

 private:
  const std::string& object_;
  std::size_t n_strings_, left_;
};

}  // namespace quern::io
