// Damaged streams that lie at the very end of readable memory: nothing is read behind them, and nothing wrong comes out.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "host/core/error.hpp"
#include "io/decode/chunk_decoder.hpp"
#include "io/decode/codecs.hpp"
#include "tests/support/encode.hpp"

namespace quern::io {
namespace {

using test::Bytes;

Bytes bytes(std::initializer_list<int> numbers) {
  Bytes out;
  for (const int number : numbers) out.push_back(static_cast<std::byte>(number));
  return out;
}

// The last bytes of a page behind which no page is.
class LastBytes {
 public:
  explicit LastBytes(const Bytes& data) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (data.size() / page + 2) * page;
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    auto* end = static_cast<std::byte*>(memory_) + size_ - page;
    mprotect(end, page, PROT_NONE);
    if (!data.empty()) std::memcpy(end - data.size(), data.data(), data.size());
    data_ = {end - data.size(), data.size()};
  }
  LastBytes(const LastBytes&) = delete;
  LastBytes& operator=(const LastBytes&) = delete;
  ~LastBytes() { munmap(memory_, size_); }
  std::span<const std::byte> data() const { return data_; }

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
  std::span<const std::byte> data_;
};

using Decode = std::size_t (*)(std::span<const std::byte>, std::span<std::byte>);

std::size_t decoded(Decode decode, const Bytes& stored, std::size_t out_bytes) {
  const LastBytes in(stored);
  Bytes out(out_bytes);
  return decode(in.data(), out);
}

TEST(DamagedLzf, EndsWithinAToken) {
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c'}), 64), 3U);
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b'}), 64), undecodable);                // a literal
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c', 0x20}), 64), undecodable);     // the distance of a copy
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c', 0xE0}), 64), undecodable);     // the length of a long one
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c', 0xE0, 4}), 64), undecodable);  // and its distance
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c', 0x20, 3}), 64), undecodable);  // from before the beginning
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c', 0x20, 0}), 5), undecodable);   // too long
  EXPECT_EQ(decoded(decode_lzf, bytes({2, 'a', 'b', 'c', 0x20, 0}), 6), 6U);
}

TEST(DamagedLz4, HasBlocksThatAreNone) {
  const auto eight = [](int total, int block, std::initializer_list<int> rest) {
    Bytes out = bytes({0, 0, 0, 0, 0, 0, 0, total, 0, 0, 0, block});
    for (const int number : rest) out.push_back(static_cast<std::byte>(number));
    return out;
  };
  EXPECT_EQ(decoded(decode_lz4, eight(4, 4, {0, 0, 0, 4, 'a', 'b', 'c', 'd'}), 4), 4U);
  EXPECT_EQ(decoded(decode_lz4, bytes({0, 0, 0, 0, 0, 0}), 4), undecodable);  // not a whole header
  EXPECT_EQ(decoded(decode_lz4, eight(4, 4, {0, 0}), 4), undecodable);
  EXPECT_EQ(decoded(decode_lz4, eight(4, 4, {}), 4), undecodable);
  EXPECT_EQ(decoded(decode_lz4, eight(4, 0, {}), 4), undecodable);
  EXPECT_EQ(decoded(decode_lz4, eight(4, 4, {0, 0, 0, 3, 0x10, 'a', 9}), 4), undecodable);  // a block that LZ4 does not take
  EXPECT_EQ(decoded(decode_lz4, eight(4, 4, {0, 0, 0, 9, 'a'}), 4), undecodable);
  EXPECT_EQ(decoded(decode_lz4, eight(5, 4, {0, 0, 0, 4, 'a', 'b', 'c', 'd'}), 4), undecodable);
}

TEST(DamagedBlosc, HasBlocksThatAreNone) {
  const Bytes data = test::sample_bytes(5000);
  Bytes stored = test::blosc(data, "lz4", 1, 4);
  EXPECT_EQ(decoded(decode_blosc, stored, data.size()), data.size());
  EXPECT_EQ(decoded(decode_blosc, stored, data.size() - 1), undecodable);
  EXPECT_EQ(decoded(decode_blosc, Bytes(stored.begin(), stored.begin() + 9), data.size()), undecodable);
  EXPECT_EQ(decoded(decode_blosc, Bytes(stored.begin(), stored.end() - 1), data.size()), undecodable);
  std::fill(stored.begin() + 16, stored.end(), std::byte{0xFF});
  EXPECT_EQ(decoded(decode_blosc, stored, data.size()), undecodable);
}

TEST(DamagedZstd, IsFoundBeforeItIsUnshuffled) {
  const Bytes data = test::sample_bytes(4000);
  Bytes stored = test::zstd(test::shuffle(data, 4));
  stored[stored.size() / 2] ^= std::byte{0x55};
  stored.resize(stored.size() - 3);
  const LastBytes in(stored);
  Bytes out(data.size());
  ChunkDecoder decoder({{{static_cast<int>(FilterId::shuffle), {4}}, {static_cast<int>(FilterId::zstd), {}}}, 4, data.size()});
  EXPECT_THROW(decoder.decode(in.data(), 0, out, "/X/data"), Error);
}

}  // namespace
}  // namespace quern::io
