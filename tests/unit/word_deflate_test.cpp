// What WordDeflater makes is read by libdeflate and by zlib, whatever the words.
#include "io/h5ad_write/word_deflate.hpp"

#include <gtest/gtest.h>
#include <libdeflate.h>
#include <zlib.h>

#include <bit>
#include <cstring>
#include <functional>
#include <random>

#include "io/h5ad_write/prefix_code.hpp"

namespace quern::io {
namespace {

using Bytes = std::vector<std::byte>;

template <class Word>
Bytes bytes_of(std::size_t n, const std::function<Word(std::size_t)>& word) {
  Bytes bytes(n * sizeof(Word));
  for (std::size_t i = 0; i < n; ++i) {
    const Word value = word(i);
    std::memcpy(bytes.data() + i * sizeof(Word), &value, sizeof(Word));
  }
  return bytes;
}

Bytes packed(const Bytes& plain, std::size_t width, std::size_t room) {
  Bytes out(room);
  WordDeflater deflater;
  out.resize(deflater.pack(plain, width, out));
  return out;
}

void expect_readable(const Bytes& plain, std::size_t width) {
  const Bytes stream = packed(plain, width, 2 * plain.size() + 2000);
  ASSERT_GT(stream.size(), 0U);
  Bytes back(plain.size() + 1);
  uLongf n = back.size();
  ASSERT_EQ(uncompress(reinterpret_cast<Bytef*>(back.data()), &n, reinterpret_cast<const Bytef*>(stream.data()), stream.size()), Z_OK);
  ASSERT_EQ(n, plain.size());
  back.resize(n);
  EXPECT_EQ(back, plain);
  libdeflate_decompressor* inflater = libdeflate_alloc_decompressor();
  Bytes again(plain.size());
  EXPECT_EQ(libdeflate_zlib_decompress(inflater, stream.data(), stream.size(), again.data(), again.size(), nullptr), LIBDEFLATE_SUCCESS);
  libdeflate_free_decompressor(inflater);
  EXPECT_EQ(again, plain);
}

template <class Word>
void expect_all_readable() {
  std::mt19937_64 random(11);
  const auto any = [&](std::size_t) { return static_cast<Word>(random()); };
  std::vector<Word> few(40);
  for (Word& word : few) word = static_cast<Word>(random());
  for (const std::size_t n : {0U, 1U, 2U, 3U, 1000U, 32768U, 32769U, 100'000U}) {
    expect_readable(bytes_of<Word>(n, any), sizeof(Word));
    expect_readable(bytes_of<Word>(n, [](std::size_t) { return Word{7}; }), sizeof(Word));
    expect_readable(
        bytes_of<Word>(n,
                       [&](std::size_t) { return few[std::min<std::size_t>(static_cast<std::size_t>(std::countr_zero(random())), 39)]; }),
        sizeof(Word));
    for (const std::size_t period : {2U, 63U, 64U, 65U, 4095U, 4096U, 4097U, 8192U, 8193U})  // the longest matches, the whole window
      expect_readable(bytes_of<Word>(n, [&](std::size_t i) { return static_cast<Word>((i % period) * 0x9e3779b97f4a7c15U); }),
                      sizeof(Word));
  }
}

TEST(WordDeflater, IsReadByOthers) {
  expect_all_readable<std::uint32_t>();
  expect_all_readable<std::uint64_t>();
}

TEST(WordDeflater, SaysThatTheRoomIsTooSmall) {
  const Bytes plain = bytes_of<std::uint32_t>(5000, [](std::size_t i) { return static_cast<std::uint32_t>(i * i * 2654435761U); });
  for (std::size_t room = 0; room < plain.size(); room += 97) EXPECT_EQ(packed(plain, 4, room).size(), 0U) << room;
}

TEST(PrefixCode, IsCompleteAndNoLongerThanAllowed) {
  PrefixCode<30> code;
  for (std::size_t i = 0; i < 30; ++i) code.frequencies[i] = 1U << i;  // Huffman's would have 29 bits
  code.build(7);
  unsigned taken = 0;
  for (const std::uint8_t length : code.lengths) {
    ASSERT_GE(length, 1);
    ASSERT_LE(length, 7);
    taken += 128U >> length;
  }
  EXPECT_EQ(taken, 128U);
  EXPECT_EQ(code.lengths[29], 1);
}

}  // namespace
}  // namespace quern::io
