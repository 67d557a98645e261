#include "cli/show_selection.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "cli/suggest.hpp"
#include "host/core/error.hpp"
#include "io/names/name_sources.hpp"

namespace quern::cli {
namespace {

// One end of a slice; `open` when it is left out.
std::int64_t parse_end(std::string_view text, std::int64_t open, std::int64_t size, const std::string& whole, const std::string& option) {
  if (text.empty()) return open;
  std::int64_t number = 0;
  const bool plus = text.front() == '+' && text.substr(1, 1) != "-";
  const std::string_view digits = text.substr(plus ? 1 : 0);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error == std::errc::result_out_of_range) return text.front() == '-' ? 0 : size;
  if (error != std::errc() || end != digits.data() + digits.size())
    throw usage_error("bad-slice", option, "\"" + whole + "\" is not of the form A:B", "rows 0 to 4 are 0:5, the last ten are -10:");
  if (number < 0) number = std::max<std::int64_t>(number, -size) + size;
  return std::min(number, size);
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

// The nearest of all names: one that differs by case alone, else the fewest edits.
std::string nearest_of(NameSource& names, const std::string& wanted) {
  constexpr std::int64_t most_compared = 200000, step = 16384;
  std::vector<std::string> batch, nearest;
  const std::string wanted_lower = lower(wanted);
  for (std::int64_t first = 0; first < std::min(names.size(), most_compared); first += static_cast<std::int64_t>(batch.size())) {
    io::read_some(names, {first, std::min(first + step, names.size())}, batch);
    for (const std::string& name : batch)
      if (lower(name) == wanted_lower) return name;
    const std::string best = nearest_word(wanted, batch);
    if (!best.empty()) nearest.push_back(best);
  }
  return nearest_word(wanted, nearest);
}

io::Ranges find_names(const std::vector<std::string>& wanted, NameSource& names, const std::string& option) {
  std::unordered_map<std::string, bool> found;
  for (const std::string& name : wanted) found.emplace(name, false);
  io::Ranges ranges;
  io::for_each_name(names, [&](const std::string& name, std::int64_t place) {
    const auto match = found.find(name);
    if (match == found.end()) return;
    match->second = true;
    if (!ranges.empty() && ranges.back().last == place)
      ++ranges.back().last;
    else
      ranges.push_back({place, place + 1});
  });
  for (const std::string& name : wanted) {
    if (found[name]) continue;
    const std::string near = nearest_of(names, name);
    throw usage_error("no-such-name", name, "none of the " + std::to_string(names.size()) + " names for " + option + " is this",
                      near.empty() ? "" : "did you mean " + near + "?");
  }
  return ranges;
}

}  // namespace

RowRange parse_slice(const std::string& text, std::int64_t size, const std::string& option) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos)
    throw usage_error("bad-slice", option, "\"" + text + "\" is not of the form A:B", "rows 0 to 4 are 0:5, the last ten are -10:");
  if (text.find(':', colon + 1) != std::string::npos)
    throw usage_error("bad-slice", option, "\"" + text + "\" has a step, which is not supported", "leave the step out: A:B");
  const std::string_view view = text;
  const std::int64_t first = parse_end(view.substr(0, colon), 0, size, text, option);
  const std::int64_t last = parse_end(view.substr(colon + 1), size, size, text, option);
  return {first, std::max(first, last)};
}

AxisChoice choose(const AxisRequest& request, NameSource& names, const std::string& slice_option, const std::string& names_option,
                  std::int64_t most) {
  AxisChoice choice;
  if (!request.slice.empty() && !request.names.empty())
    throw usage_error("two-choices", names_option, "rows or columns are chosen by number or by name, not by both",
                      "leave out " + slice_option + " or " + names_option);
  if (!request.names.empty()) {
    choice.ranges = find_names(request.names, names, names_option);
    return choice;
  }
  const std::int64_t size = names.size();
  const RowRange range = request.slice.empty() ? RowRange{0, size} : parse_slice(request.slice, size, slice_option);
  if (range.size() == 0) return choice;
  choice.has_gap = !request.asked() && most > 0 && size > most;
  if (choice.has_gap)
    choice.ranges = {{0, most / 2}, {size - most / 2, size}};
  else
    choice.ranges = {range};
  return choice;
}

std::vector<std::string> split_names(const std::vector<std::string>& words) {
  std::vector<std::string> names;
  for (const std::string& word : words)
    for (std::size_t begin = 0; begin <= word.size();) {
      const std::size_t end = std::min(word.find(',', begin), word.size());
      if (end > begin) names.push_back(word.substr(begin, end - begin));
      begin = end + 1;
    }
  return names;
}

}  // namespace quern::cli
