#include "cli/sizes.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

#include "host/core/error.hpp"

namespace quern::cli {
namespace {

// The power of 1024 that a unit stands for, or -1.
int power_of(std::string_view unit) {
  std::string lower;
  for (const char c : unit) lower += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (lower.empty() || lower == "b") return 0;
  constexpr std::string_view letters = "kmgt";
  const auto power = letters.find(lower.front());
  const std::string_view rest = std::string_view(lower).substr(1);
  if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib")) return -1;
  return static_cast<int>(power) + 1;
}

Error bad_size(std::string_view text, const std::string& option) {
  return usage_error("bad-size", option, fmt::format("\"{}\" is not a size", text), "write it as 512MiB or 1.5G (powers of 1024)");
}

}  // namespace

std::uint64_t parse_size(std::string_view text, const std::string& option) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  const auto used = static_cast<std::size_t>(end - text.data());
  std::string_view unit = text.substr(used);
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  const int power = power_of(unit);
  if (error != std::errc() || power < 0 || !(number >= 0)) throw bad_size(text, option);
  const double bytes = std::ldexp(number, 10 * power);
  if (bytes >= 0x1p63) throw bad_size(text, option);
  if (unit.empty() && bytes > 0 && bytes < 0x1p20)
    throw usage_error("bad-size", option, fmt::format("\"{}\" has no unit", text), fmt::format("{0}MiB or {0}GiB?", text));
  return static_cast<std::uint64_t>(bytes);
}

std::int64_t parse_integer(std::string_view text, const std::string& option, std::int64_t least) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least)
    throw usage_error("bad-number", option, fmt::format("\"{}\" is not a whole number of at least {}", text, least));
  return number;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  auto number = static_cast<double>(bytes);
  while (number >= 1024 && unit + 1 < units.size()) {
    number /= 1024;
    ++unit;
  }
  return number < 10 && number != std::floor(number) ? fmt::format("{:.1f} {}", number, units[unit])
                                                     : fmt::format("{:.0f} {}", number, units[unit]);
}

std::string format_count(std::int64_t count) {
  std::string digits = std::to_string(count);
  const std::size_t sign = count < 0 ? 1 : 0;
  for (auto place = digits.size(); place > sign + 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

std::string format_seconds(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

}  // namespace quern::cli
