// Patterns that users give, and an end to those that would try for ever.
#pragma once
#include <cstdint>
#include <regex>
#include <string>

namespace quern::cli {

// An ECMAScript pattern, searched for in one text after another. Not thread-safe.
class BoundedRegex {
 public:
  // `option` is what messages name. Throws usage_error("bad-regex").
  BoundedRegex(const std::string& pattern, std::string option);

  // Whether `text` holds a match. The library recurses once a character: its length is the caller's care. Throws usage_error("bad-regex")
  // when this and earlier calls took 10 million steps and 10,000 more each: a few seconds for the genes of a matrix.
  bool is_in(const std::string& text);

 private:
  std::string option_;
  std::regex regex_;
  std::int64_t steps_left_;
};

}  // namespace quern::cli
