// Random, repetitive and awkward words through WordDeflater: every stream inflates with zlib and with libdeflate to what went in, is the
// same from a used deflater, fits into exactly its own length and says so when it does not. QUERN_FUZZ_ROUNDS=N: longer, or a round again.
#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zlib.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "io/h5ad_write/word_deflate.hpp"

namespace quern::io {
namespace {

using Bytes = std::vector<std::byte>;
using Random = std::mt19937_64;

// Words put together from pieces, each of another kind.
class Words {
 public:
  explicit Words(std::uint64_t seed) : random_(seed), width_(below(2) == 0 ? 4 : 8) {}

  std::size_t width() const { return width_; }

  Bytes make() {
    constexpr std::size_t most[] = {0, 1, 2, 3, 5, 17, 64, 260, 1024, 4100, 8200, 33'000, 70'000};
    const std::size_t n = most[below(std::size(most))] + below(4);
    while (words_.size() < n) add_piece(std::min(n - words_.size(), std::size_t{1} << below(16)));
    Bytes bytes(n * width_);
    for (std::size_t i = 0; i < n; ++i) std::memcpy(bytes.data() + i * width_, &words_[i], width_);
    return bytes;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  void add_piece(std::size_t n) {
    switch (below(7)) {
      case 0:
        return add(n, [this](std::size_t) { return random_(); });
      case 1:
        return add(n, [word = random_()](std::size_t) { return word; });
      case 2:
        return add(n, [this, n_kinds = 1 + below(300)](std::size_t) { return (below(n_kinds) + 1) * 0x9e3779b97f4a7c15U; });
      case 3:
        return add(n, [this, step = below(5)](std::size_t i) { return step * i; });
      case 4:
        return add_skewed(n);
      case 5:
        return add_near_copy(n);
      default:
        return add_copy(n, 1 + below(words_.size() + 1));
    }
  }
  template <class Make>
  void add(std::size_t n, Make make) {
    for (std::size_t i = 0; i < n; ++i) words_.push_back(make(i));
  }
  // Each word half as frequent as the one before: the longest codes.
  void add_skewed(std::size_t n) {
    const std::uint64_t first = random_();
    add(n, [&](std::size_t) {
      return first + static_cast<std::uint64_t>(__builtin_ctzll(random_() | (std::uint64_t{1} << 40))) * 0x01010101U;
    });
  }
  // What stood `distance` words before: also across itself, and beyond the window.
  void add_copy(std::size_t n, std::size_t distance) {
    add(n, [&](std::size_t) { return distance <= words_.size() ? words_[words_.size() - distance] : std::uint64_t{0}; });
  }
  // Copies around the window's length with a word changed here and there.
  void add_near_copy(std::size_t n) {
    const std::size_t window = 32768 / width_, distance = window - 3 + below(7), gap = 1 + below(300);
    add(n, [&](std::size_t i) { return i % gap == gap - 1 || distance > words_.size() ? random_() : words_[words_.size() - distance]; });
  }

  Random random_;
  std::size_t width_;
  std::vector<std::uint64_t> words_;
};

Bytes inflated_by_zlib(const Bytes& stream, std::size_t size) {
  Bytes plain(size + 1);
  uLongf n = plain.size();
  if (uncompress(reinterpret_cast<Bytef*>(plain.data()), &n, reinterpret_cast<const Bytef*>(stream.data()), stream.size()) != Z_OK) n = 0;
  plain.resize(n);
  return plain;
}

Bytes inflated_by_libdeflate(const Bytes& stream, std::size_t size) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> inflater(libdeflate_alloc_decompressor(),
                                                                                              libdeflate_free_decompressor);
  Bytes plain(size + 1);
  std::size_t n = 0;
  if (libdeflate_zlib_decompress(inflater.get(), stream.data(), stream.size(), plain.data(), plain.size(), &n) != LIBDEFLATE_SUCCESS) n = 0;
  plain.resize(n);
  return plain;
}

// Into exactly so much room; what lies behind it stays as it was.
Bytes packed_into(WordDeflater& deflater, const Bytes& plain, std::size_t width, std::size_t room) {
  constexpr std::byte mark{0xa5};
  Bytes out(room + 64, mark);
  const std::size_t n = deflater.pack(plain, width, std::span(out).first(room));
  EXPECT_LE(n, room);
  for (std::size_t i = room; i < out.size(); ++i) EXPECT_EQ(out[i], mark);
  out.resize(n);
  return out;
}

void one_round(std::uint64_t seed, WordDeflater& used) {
  Words words(seed);
  const Bytes plain = words.make();
  WordDeflater fresh;
  const Bytes stream = packed_into(fresh, plain, words.width(), 2 * plain.size() + 2000);
  ASSERT_FALSE(stream.empty());
  EXPECT_EQ(inflated_by_zlib(stream, plain.size()), plain);
  EXPECT_EQ(inflated_by_libdeflate(stream, plain.size()), plain);
  EXPECT_EQ(packed_into(used, plain, words.width(), 2 * plain.size() + 2000), stream);
  const Bytes tight = packed_into(used, plain, words.width(), stream.size());
  EXPECT_TRUE(tight.empty() || tight == stream);
  EXPECT_TRUE(packed_into(used, plain, words.width(), stream.size() - 1).empty());
}

TEST(WordDeflaterFuzz, WhateverTheWords) {
  const char* asked = std::getenv("QUERN_FUZZ_ROUNDS");
  const std::uint64_t n_rounds = asked ? std::strtoull(asked, nullptr, 10) : 600;
  WordDeflater used;
  for (std::uint64_t seed = 0; seed < n_rounds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("round " + std::to_string(seed));
    one_round(seed, used);
  }
}

}  // namespace
}  // namespace quern::io
