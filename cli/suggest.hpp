// What a mistyped word may have meant.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace quern::cli {

// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `words`, or empty when none is near (more than a third of its letters, and more than two, differ).
std::string nearest_word(std::string_view typed, const std::vector<std::string>& words);

// "did you mean WORD?", or empty.
std::string suggestion(std::string_view typed, const std::vector<std::string>& words);

}  // namespace quern::cli
