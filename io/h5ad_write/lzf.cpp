#include "io/h5ad_write/lzf.hpp"

#include <algorithm>
#include <cstring>

namespace quern::io {
namespace {

constexpr std::size_t most_literals = 32, most_distance = 8192, least_match = 3, most_match = 264;

std::uint32_t three_bytes(const std::byte* at) {
  return std::to_integer<std::uint32_t>(at[0]) << 16 | std::to_integer<std::uint32_t>(at[1]) << 8 | std::to_integer<std::uint32_t>(at[2]);
}

std::byte* put_literals(std::span<const std::byte> bytes, std::byte* out) {
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), most_literals);
    *out++ = static_cast<std::byte>(n - 1);
    std::memcpy(out, bytes.data(), n);
    out += n;
    bytes = bytes.subspan(n);
  }
  return out;
}

// A length of 9 and more has a byte of its own; the distance is kept less 1, its high bits first.
std::byte* put_match(std::size_t length, std::size_t distance, std::byte* out) {
  const std::size_t kept = length - 2, back = distance - 1;
  *out++ = static_cast<std::byte>(std::min<std::size_t>(kept, 7) << 5 | back >> 8);
  if (kept >= 7) *out++ = static_cast<std::byte>(kept - 7);
  *out++ = static_cast<std::byte>(back & 255);
  return out;
}

std::size_t match_length(std::span<const std::byte> plain, std::size_t a, std::size_t b) {
  const std::size_t most = std::min(most_match, plain.size() - b);
  std::size_t n = 0;
  while (n < most && plain[a + n] == plain[b + n]) ++n;
  return n;
}

}  // namespace

std::size_t LzfPacker::pack(std::span<const std::byte> plain, std::span<std::byte> packed) {
  std::fill(last_place_.begin(), last_place_.end(), 0);
  std::byte* out = packed.data();
  std::size_t literals = 0, at = 0;  // plain[literals .. at) waits to be written as it is
  while (at + least_match <= plain.size()) {
    const std::uint32_t hash = three_bytes(plain.data() + at) * 0x9E3779B1U >> 16;
    const std::size_t before = last_place_[hash];
    last_place_[hash] = static_cast<std::uint32_t>(at + 1);
    const bool near = before != 0 && at - (before - 1) <= most_distance;
    const std::size_t length = near ? match_length(plain, before - 1, at) : 0;
    if (length < least_match) {
      ++at;
      continue;
    }
    out = put_literals(plain.subspan(literals, at - literals), out);
    out = put_match(length, at - (before - 1), out);
    at += length;
    literals = at;
  }
  out = put_literals(plain.subspan(literals), out);
  return static_cast<std::size_t>(out - packed.data());
}

}  // namespace quern::io
