#include "tests/support/encode.hpp"

#include <blosc.h>
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <stdexcept>

namespace quern::test {
namespace {

void append_big_endian(Bytes& to, std::uint64_t value, int n_bytes) {
  for (int i = n_bytes; i-- > 0;) to.push_back(static_cast<std::byte>(value >> (8 * i)));
}

void append(Bytes& to, std::span<const std::byte> data) { to.insert(to.end(), data.begin(), data.end()); }

// Longest earlier match of at least 3 bytes for data[at]; {distance, length}, length 0 when there is none.
std::pair<std::size_t, std::size_t> find_match(std::span<const std::byte> data, std::size_t at) {
  std::pair<std::size_t, std::size_t> best{0, 0};
  const std::size_t most = std::min<std::size_t>(264, data.size() - at);
  for (std::size_t distance = 1; distance <= std::min<std::size_t>(at, 64); ++distance) {
    std::size_t n = 0;
    while (n < most && data[at + n] == data[at + n - distance]) ++n;
    if (n > best.second) best = {distance, n};
  }
  return best.second >= 3 ? best : std::pair<std::size_t, std::size_t>{0, 0};
}

void append_literals(Bytes& to, std::span<const std::byte> literals) {
  while (!literals.empty()) {
    const std::size_t n = std::min<std::size_t>(32, literals.size());
    to.push_back(static_cast<std::byte>(n - 1));
    append(to, literals.first(n));
    literals = literals.subspan(n);
  }
}

}  // namespace

Bytes deflate(std::span<const std::byte> data, int level) {
  uLongf size = compressBound(data.size());
  Bytes out(size);
  if (compress2(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(data.data()), data.size(), level) != Z_OK)
    throw std::runtime_error("compress2");
  out.resize(size);
  return out;
}

Bytes zstd(std::span<const std::byte> data, bool with_content_size) {
  Bytes out(ZSTD_compressBound(data.size()));
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, with_content_size ? 1 : 0);
  const std::size_t size = ZSTD_compress2(context, out.data(), out.size(), data.data(), data.size());
  ZSTD_freeCCtx(context);
  if (ZSTD_isError(size)) throw std::runtime_error("zstd");
  out.resize(size);
  return out;
}

Bytes lz4(std::span<const std::byte> data, std::size_t block_bytes) {
  Bytes out;
  append_big_endian(out, data.size(), 8);
  append_big_endian(out, block_bytes, 4);
  for (std::size_t at = 0; at < data.size(); at += block_bytes) {
    const auto block = data.subspan(at, std::min(block_bytes, data.size() - at));
    Bytes packed(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(block.size()))));
    const int n = LZ4_compress_default(reinterpret_cast<const char*>(block.data()), reinterpret_cast<char*>(packed.data()),
                                       static_cast<int>(block.size()), static_cast<int>(packed.size()));
    packed.resize(static_cast<std::size_t>(n));
    const std::span<const std::byte> stored = packed.size() < block.size() ? std::span<const std::byte>(packed) : block;
    append_big_endian(out, stored.size(), 4);
    append(out, stored);
  }
  return out;
}

Bytes blosc(std::span<const std::byte> data, const char* compressor, int shuffle, std::size_t element_bytes) {
  Bytes out(data.size() + BLOSC_MAX_OVERHEAD);
  const int size = blosc_compress_ctx(5, shuffle, element_bytes, data.size(), data.data(), out.data(), out.size(), compressor, 0, 1);
  if (size <= 0) throw std::runtime_error("blosc");
  out.resize(static_cast<std::size_t>(size));
  return out;
}

Bytes lzf(std::span<const std::byte> data) {
  Bytes out;
  std::size_t first_literal = 0, at = 0;
  while (at < data.size()) {
    const auto [distance, length] = find_match(data, at);
    if (length == 0) {
      ++at;
      continue;
    }
    append_literals(out, data.subspan(first_literal, at - first_literal));
    const std::size_t code = std::min<std::size_t>(7, length - 2), back = distance - 1;
    out.push_back(static_cast<std::byte>(code << 5 | back >> 8));
    if (code == 7) out.push_back(static_cast<std::byte>(length - 2 - 7));
    out.push_back(static_cast<std::byte>(back & 255));
    at += length;
    first_literal = at;
  }
  append_literals(out, data.subspan(first_literal));
  return out;
}

Bytes shuffle(std::span<const std::byte> data, std::size_t element_bytes) {
  Bytes out(data.begin(), data.end());
  const std::size_t n = data.size() / element_bytes;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < element_bytes; ++k) out[k * n + i] = data[i * element_bytes + k];
  return out;
}

Bytes with_fletcher32(std::span<const std::byte> data, bool swapped_halves) {
  std::uint64_t low = 0, high = 0;  // sums modulo 65535 of big-endian words, 65535 rather than 0 once anything was added
  const auto add = [&](std::uint64_t word) {
    low += word;
    if (low > 65535) low -= 65535;
    high += low;
    if (high > 65535) high -= 65535;
  };
  for (std::size_t i = 0; i < data.size(); i += 2)
    add(std::to_integer<std::uint64_t>(data[i]) << 8 | (i + 1 < data.size() ? std::to_integer<std::uint64_t>(data[i + 1]) : 0));
  std::byte sum[4] = {static_cast<std::byte>(low), static_cast<std::byte>(low >> 8), static_cast<std::byte>(high),
                      static_cast<std::byte>(high >> 8)};
  if (swapped_halves) {
    std::swap(sum[0], sum[1]);
    std::swap(sum[2], sum[3]);
  }
  Bytes out(data.begin(), data.end());
  append(out, sum);
  return out;
}

Bytes sample_bytes(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  Bytes out(size);
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; i += 4) {
    value += static_cast<std::uint32_t>(random() % 7);
    std::memcpy(out.data() + i, &value, std::min<std::size_t>(4, size - i));
  }
  return out;
}

}  // namespace quern::test
