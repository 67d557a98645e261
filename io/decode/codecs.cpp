#include "io/decode/codecs.hpp"

#include <blosc.h>
#include <lz4.h>

#include <algorithm>
#include <climits>
#include <cstring>

namespace quern::io {
namespace {

std::uint64_t big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte b : bytes) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return value;
}

// Takes `n` bytes from the front; empty (and `in` unchanged) when there are fewer.
std::span<const std::byte> take(std::span<const std::byte>& in, std::size_t n) {
  if (in.size() < n) return {};
  const auto front = in.first(n);
  in = in.subspan(n);
  return front;
}

bool decode_lz4_block(std::span<const std::byte> in, std::span<std::byte> out) {
  if (in.size() == out.size()) {  // did not shrink: stored as it is
    std::memcpy(out.data(), in.data(), in.size());
    return true;
  }
  if (in.size() > INT_MAX || out.size() > INT_MAX) return false;
  const int written = LZ4_decompress_safe(reinterpret_cast<const char*>(in.data()), reinterpret_cast<char*>(out.data()),
                                          static_cast<int>(in.size()), static_cast<int>(out.size()));
  return written >= 0 && static_cast<std::size_t>(written) == out.size();
}

}  // namespace

std::size_t decode_lzf(std::span<const std::byte> in, std::span<std::byte> out) {
  std::size_t at = 0, written = 0;
  while (at < in.size()) {
    const auto token = std::to_integer<std::size_t>(in[at++]);
    if (token < 32) {  // token + 1 literal bytes
      const std::size_t length = token + 1;
      if (length > in.size() - at || length > out.size() - written) return undecodable;
      std::memcpy(out.data() + written, in.data() + at, length);
      at += length;
      written += length;
      continue;
    }
    std::size_t length = token >> 5;  // a copy of length + 2 bytes from 1 .. 8192 bytes back
    if (length == 7) {
      if (at == in.size()) return undecodable;
      length += std::to_integer<std::size_t>(in[at++]);
    }
    if (at == in.size()) return undecodable;
    const std::size_t distance = ((token & 31) << 8 | std::to_integer<std::size_t>(in[at++])) + 1;
    length += 2;
    if (distance > written || length > out.size() - written) return undecodable;
    for (std::size_t i = 0; i < length; ++i, ++written) out[written] = out[written - distance];  // may overlap itself
  }
  return written;
}

std::size_t decode_lz4(std::span<const std::byte> in, std::span<std::byte> out) {
  const auto total_bytes = take(in, 8), block_bytes = take(in, 4);
  const std::uint64_t total = big_endian(total_bytes), block = big_endian(block_bytes);
  if (total > out.size()) return undecodable;
  for (std::size_t written = 0; written < total;) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(block, total - written));
    const auto stored = take(in, static_cast<std::size_t>(big_endian(take(in, 4))));
    if (stored.empty() || !decode_lz4_block(stored, out.subspan(written, n))) return undecodable;
    written += n;
  }
  return in.empty() ? static_cast<std::size_t>(total) : undecodable;
}

std::size_t decode_blosc(std::span<const std::byte> in, std::span<std::byte> out) {
  std::size_t size = 0;
  if (blosc_cbuffer_validate(in.data(), in.size(), &size) < 0) return undecodable;
  return static_cast<std::size_t>(blosc_decompress_ctx(in.data(), out.data(), out.size(), 1));  // an error: 0 or a huge number
}

std::uint32_t fletcher32(std::span<const std::byte> data) {
  std::uint64_t low = 0, high = 0;
  const std::size_t n_words = data.size() / 2;
  const auto fold = [](std::uint64_t sum) {
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return sum;
  };
  for (std::size_t first = 0; first < n_words;) {
    const std::size_t last = std::min(n_words, first + (std::size_t{1} << 16));  // far from overflow in 64 bits
    for (; first < last; ++first) {
      low += std::to_integer<std::uint64_t>(data[2 * first]) << 8 | std::to_integer<std::uint64_t>(data[2 * first + 1]);
      high += low;
    }
    low = fold(low);
    high = fold(high);
  }
  if (data.size() % 2 != 0) {
    low = fold(low + (std::to_integer<std::uint64_t>(data.back()) << 8));
    high = fold(high + low);
  }
  return static_cast<std::uint32_t>(high << 16 | low);
}

bool fletcher32_matches(std::span<const std::byte> data, std::uint32_t stored) {
  const std::uint32_t sum = fletcher32(data);
  const std::uint32_t swapped_halves = (sum & 0x00ff00ffU) << 8 | (sum >> 8 & 0x00ff00ffU);
  return stored == sum || stored == swapped_halves;
}

}  // namespace quern::io
