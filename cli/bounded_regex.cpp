#include "cli/bounded_regex.hpp"

#include <iterator>
#include <utility>

#include "host/core/error.hpp"

namespace quern::cli {
namespace {

constexpr std::int64_t steps_at_first = 10'000'000, steps_a_text = 10'000;
constexpr std::size_t longest_pattern = 4000;  // the library's parser recurses once a bracket

struct TooManySteps {};

// A character's address; looking at it, or whether it is the last, is a step. Whatever way a pattern is tried, it does that.
class CountingIterator {
 public:
  using iterator_category = std::bidirectional_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator() = default;
  CountingIterator(const char* at, std::int64_t& steps_left) : at_(at), steps_left_(&steps_left) {}

  reference operator*() const {
    count();
    return *at_;
  }
  CountingIterator& operator++() {
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++at_;
    return before;
  }
  CountingIterator& operator--() {
    --at_;
    return *this;
  }
  CountingIterator operator--(int) {
    CountingIterator before = *this;
    --at_;
    return before;
  }
  bool operator==(const CountingIterator& other) const {
    count();
    return at_ == other.at_;
  }

 private:
  void count() const {
    if (steps_left_ != nullptr && --*steps_left_ < 0) throw TooManySteps();
  }

  const char* at_ = nullptr;
  std::int64_t* steps_left_ = nullptr;
};

std::regex compiled(const std::string& pattern, const std::string& option) {
  constexpr const char* hint = "patterns are ECMAScript regular expressions, such as ^(HBA|HBB)";
  if (pattern.size() > longest_pattern)
    throw usage_error("bad-regex", option, "the pattern is longer than " + std::to_string(longest_pattern) + " characters",
                      "give a list of names: NAME=@FILE");
  try {
    return std::regex(pattern, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw usage_error("bad-regex", option, std::string("the pattern cannot be used: ") + error.what(), hint);
  }
}

}  // namespace

BoundedRegex::BoundedRegex(const std::string& pattern, std::string option)
    : option_(std::move(option)), regex_(compiled(pattern, option_)), steps_left_(steps_at_first) {}

bool BoundedRegex::is_in(const std::string& text) try {
  steps_left_ += steps_a_text;
  return std::regex_search(CountingIterator(text.data(), steps_left_), CountingIterator(text.data() + text.size(), steps_left_), regex_);
} catch (const TooManySteps&) {
  throw usage_error("bad-regex", option_, "the pattern takes too many steps, the last of them for " + text.substr(0, 60),
                    "repeats within repeats, such as (a*)*, try every way to split a name: leave the inner one out");
}

}  // namespace quern::cli
