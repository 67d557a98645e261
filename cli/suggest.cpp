#include "cli/suggest.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace quern::cli {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = above;
    above = row;
  }
  return above[b.size()];
}

namespace {

// What other programs call it.
std::string_view usual_word(std::string_view typed) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 4> others{
      {{"gpu", "cuda"}, {"nvidia", "cuda"}, {"host", "cpu"}, {"h5", "10x"}}};
  const auto* found = std::find_if(others.begin(), others.end(), [&](const auto& pair) { return pair.first == typed; });
  return found == others.end() ? std::string_view() : found->second;
}

}  // namespace

std::string nearest_word(std::string_view typed, const std::vector<std::string>& words) {
  if (const auto same = std::find(words.begin(), words.end(), usual_word(typed)); same != words.end()) return *same;
  const std::string* best = nullptr;
  std::size_t best_distance = 0;
  for (const std::string& word : words) {
    std::size_t distance = edit_distance(typed, word);
    if (typed.size() >= 3 && word.starts_with(typed)) distance = 1;  // an abbreviation
    if (distance > std::max<std::size_t>(2, word.size() / 3) || distance >= std::max(word.size(), typed.size())) continue;
    if (!best || distance < best_distance) {
      best = &word;
      best_distance = distance;
    }
  }
  return best ? *best : std::string();
}

std::string suggestion(std::string_view typed, const std::vector<std::string>& words) {
  const std::string word = nearest_word(typed, words);
  return word.empty() ? word : "did you mean " + word + "?";
}

}  // namespace quern::cli
