// Amounts of memory and other numbers, as people write and read them.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace quern::cli {

// "512MiB", "1.5G", "300000": a decimal number, then nothing, B, or K, M, G, T with or without "B" or "iB" (either case), powers of 1024.
// Less than 1 MiB needs its unit, which is rather forgotten than meant to be bytes.
// Throws usage_error("bad-size") naming `option`.
std::uint64_t parse_size(std::string_view text, const std::string& option);

// A whole number of at least `least`; throws usage_error("bad-number") naming `option`.
std::int64_t parse_integer(std::string_view text, const std::string& option, std::int64_t least);

std::string format_size(std::uint64_t bytes);  // "1.5 GiB", "640 KiB", "12 B"
std::string format_count(std::int64_t count);  // "54,967"
std::string format_seconds(double seconds);    // "0.21 s", "3 min 12 s"

}  // namespace quern::cli
