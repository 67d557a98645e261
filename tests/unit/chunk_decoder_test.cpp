#include "io/decode/chunk_decoder.hpp"

#include <blosc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "host/core/error.hpp"
#include "io/decode/codecs.hpp"
#include "tests/support/encode.hpp"

namespace quern::io {
namespace {

using test::Bytes;

constexpr auto guard = std::byte{0xA5};

FilterStep step(FilterId id, std::vector<unsigned> params = {}) { return {static_cast<int>(id), std::move(params)}; }

FilterPipeline pipeline_of(std::vector<FilterStep> steps, std::size_t chunk_bytes, std::size_t element_bytes = 4) {
  return {std::move(steps), element_bytes, chunk_bytes};
}

// Decodes into a guarded buffer: bytes behind the chunk must survive whatever happens.
Bytes decode(const FilterPipeline& pipeline, std::span<const std::byte> stored, std::uint32_t mask = 0) {
  Bytes out(pipeline.chunk_bytes + 64, guard);
  const auto check_guard = [&] {
    EXPECT_TRUE(
        std::all_of(out.begin() + static_cast<std::ptrdiff_t>(pipeline.chunk_bytes), out.end(), [](std::byte b) { return b == guard; }));
  };
  try {
    ChunkDecoder(pipeline).decode(stored, mask, std::span(out).first(pipeline.chunk_bytes), "/X/data");
  } catch (...) {
    check_guard();
    throw;
  }
  check_guard();
  out.resize(pipeline.chunk_bytes);
  return out;
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.object(), "/X/data");
    return error.code();
  }
  return "no error";
}

struct Case {
  const char* name;
  std::vector<FilterStep> steps;
  std::function<Bytes(const Bytes&)> encode;
  bool checked;  // holds a checksum of the data: every flipped bit must be found
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"none", {}, [](const Bytes& b) { return b; }, false},
      {"deflate", {step(FilterId::deflate, {4})}, [](const Bytes& b) { return test::deflate(b); }, true},
      {"stored_deflate", {step(FilterId::deflate, {0})}, [](const Bytes& b) { return test::deflate(b, 0); }, true},
      {"shuffle", {step(FilterId::shuffle, {4})}, [](const Bytes& b) { return test::shuffle(b, 4); }, false},
      {"shuffle_deflate",
       {step(FilterId::shuffle, {4}), step(FilterId::deflate, {1})},
       [](const Bytes& b) { return test::deflate(test::shuffle(b, 4)); },
       true},
      {"shuffle_deflate_fletcher32",
       {step(FilterId::shuffle, {8}), step(FilterId::deflate, {1}), step(FilterId::fletcher32)},
       [](const Bytes& b) { return test::with_fletcher32(test::deflate(test::shuffle(b, 8))); },
       true},
      {"fletcher32_deflate",
       {step(FilterId::fletcher32), step(FilterId::deflate, {1})},
       [](const Bytes& b) { return test::deflate(test::with_fletcher32(b)); },
       true},
      {"fletcher32", {step(FilterId::fletcher32)}, [](const Bytes& b) { return test::with_fletcher32(b); }, true},
      {"lzf", {step(FilterId::lzf, {4, 261, 4000})}, [](const Bytes& b) { return test::lzf(b); }, false},
      {"shuffle_lzf",
       {step(FilterId::shuffle, {2}), step(FilterId::lzf)},
       [](const Bytes& b) { return test::lzf(test::shuffle(b, 2)); },
       false},
      {"zstd", {step(FilterId::zstd, {3})}, [](const Bytes& b) { return test::zstd(b); }, false},
      {"zstd_unsized", {step(FilterId::zstd, {3})}, [](const Bytes& b) { return test::zstd(b, false); }, false},
      {"lz4", {step(FilterId::lz4, {0})}, [](const Bytes& b) { return test::lz4(b, 1 << 20); }, false},
      {"lz4_blocks", {step(FilterId::lz4, {1000})}, [](const Bytes& b) { return test::lz4(b, 1000); }, false},
      {"blosc_lz", {step(FilterId::blosc)}, [](const Bytes& b) { return test::blosc(b, "blosclz", BLOSC_SHUFFLE, 4); }, false},
      {"blosc_lz4_bits", {step(FilterId::blosc)}, [](const Bytes& b) { return test::blosc(b, "lz4", BLOSC_BITSHUFFLE, 4); }, false},
      {"blosc_zstd", {step(FilterId::blosc)}, [](const Bytes& b) { return test::blosc(b, "zstd", BLOSC_SHUFFLE, 8); }, false},
      {"twice_deflate_shuffle",
       {step(FilterId::deflate), step(FilterId::shuffle, {4}), step(FilterId::deflate)},
       [](const Bytes& b) { return test::deflate(test::shuffle(test::deflate(b), 4)); },
       true},
  };
  return all;
}

TEST(ChunkDecoder, ReadsBackEveryPipeline) {
  for (const Case& c : cases())
    for (const std::size_t size : {std::size_t{4}, std::size_t{16}, std::size_t{4000}, std::size_t{4003}, std::size_t{312500}}) {
      const Bytes data = test::sample_bytes(size);
      EXPECT_EQ(decode(pipeline_of(c.steps, size), c.encode(data)), data) << c.name << " " << size;
    }
}

TEST(ChunkDecoder, IsReusable) {
  for (const Case& c : cases()) {
    const auto pipeline = pipeline_of(c.steps, 4000);
    ChunkDecoder decoder(pipeline);
    Bytes out(4000);
    for (std::uint32_t seed = 1; seed < 4; ++seed) {
      const Bytes data = test::sample_bytes(4000, seed), stored = c.encode(data);
      decoder.decode(stored, 0, out, "/X/data");
      EXPECT_EQ(out, data) << c.name;
      EXPECT_THROW(decoder.decode(std::span(stored).first(stored.size() / 2), 0, out, "/X/data"), Error) << c.name;
    }
  }
}

TEST(ChunkDecoder, RefusesTruncatedAndSurplusBytes) {
  const Bytes data = test::sample_bytes(4000);
  for (const Case& c : cases()) {
    Bytes stored = c.encode(data);
    const auto pipeline = pipeline_of(c.steps, data.size());
    for (std::size_t n = 0; n < stored.size(); n += 1 + n / 16)
      EXPECT_NE(code_of([&] { decode(pipeline, std::span(stored).first(n)); }), "no error") << c.name << " cut to " << n;
    stored.push_back(std::byte{0});
    EXPECT_NE(code_of([&] { decode(pipeline, stored); }), "no error") << c.name;
  }
}

TEST(ChunkDecoder, RefusesOtherSizesThanTheChunk) {
  const Bytes data = test::sample_bytes(4000);
  for (const Case& c : cases())
    for (const std::size_t claimed : {std::size_t{3996}, std::size_t{4004}, std::size_t{1}, std::size_t{100000}})
      EXPECT_EQ(code_of([&] { decode(pipeline_of(c.steps, claimed), c.encode(data)); }), "corrupt-chunk") << c.name << " " << claimed;
}

TEST(ChunkDecoder, FlippedBitsNeverPassAChecksumOrHarm) {
  const Bytes data = test::sample_bytes(1200);
  for (const Case& c : cases()) {
    const Bytes stored = c.encode(data);
    const auto pipeline = pipeline_of(c.steps, data.size());
    for (std::size_t bit = 0; bit < 8 * stored.size(); bit += 5) {
      Bytes damaged = stored;
      damaged[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      try {
        const Bytes out = decode(pipeline, damaged);
        if (c.checked) {  // the bit says nothing (deflate's level hint)
          EXPECT_EQ(out, data) << c.name << " bit " << bit;
        }
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == "corrupt-chunk" || error.code() == "bad-checksum") << c.name;
      }
    }
  }
}

TEST(ChunkDecoder, HonoursTheFilterMask) {
  const Bytes data = test::sample_bytes(4000);
  const auto pipeline = pipeline_of({step(FilterId::shuffle, {4}), step(FilterId::deflate), step(FilterId::fletcher32)}, data.size());
  const auto plain = [](const Bytes& b) { return b; };
  for (std::uint32_t mask = 0; mask < 8; ++mask) {
    Bytes stored = mask & 1U ? plain(data) : test::shuffle(data, 4);
    if (!(mask & 2U)) stored = test::deflate(stored);
    if (!(mask & 4U)) stored = test::with_fletcher32(stored);
    EXPECT_EQ(decode(pipeline, stored, mask), data) << mask;
    EXPECT_NE(code_of([&] { decode(pipeline, stored, mask ^ 2U); }), "no error") << mask;
  }
}

TEST(ChunkDecoder, FletcherAcceptsBothByteOrdersAndNothingElse) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{722}, std::size_t{300001}}) {
    const auto pipeline = pipeline_of({step(FilterId::fletcher32)}, size, 1);
    const Bytes data = test::sample_bytes(size);
    EXPECT_EQ(decode(pipeline, test::with_fletcher32(data)), data);
    EXPECT_EQ(decode(pipeline, test::with_fletcher32(data, true)), data);
    Bytes damaged = test::with_fletcher32(data);
    damaged.back() ^= std::byte{1};
    EXPECT_EQ(code_of([&] { decode(pipeline, damaged); }), "bad-checksum");
  }
}

TEST(ChunkDecoder, FletcherOfKnownVectors) {
  const auto sum = [](const char* text) { return fletcher32(std::as_bytes(std::span(text, std::strlen(text)))); };
  // Words 0x6162, 0x6364 and the odd byte 0x65: low 0x6162 + 0x6364 + 0x6500 = 0x129c6 -> 0x29c7, high 0x6162 + 0xc4c6 + 0x29c7 -> 0x4ff0.
  EXPECT_EQ(sum("abcde"), 0x4ff029c7U);
  const Bytes ones(2, std::byte{0xff});
  EXPECT_EQ(fletcher32(ones), 0xffffffffU);  // never folded to zero
}

TEST(ChunkDecoder, LzfCopiesOverlapAndReachBack) {
  const auto pipeline = pipeline_of({step(FilterId::lzf)}, 5 + 2 + 7 + 200);
  Bytes stored{std::byte{4}};  // five literals
  for (const char c : {'a', 'b', 'c', 'd', 'e'}) stored.push_back(static_cast<std::byte>(c));
  stored.insert(stored.end(), {std::byte{0xE0}, std::byte{200}, std::byte{0}});  // 2 + 7 + 200 times the last byte
  const Bytes out = decode(pipeline, stored);
  EXPECT_EQ(out[3], std::byte{'d'});
  EXPECT_TRUE(std::all_of(out.begin() + 4, out.end(), [](std::byte b) { return b == std::byte{'e'}; }));
  stored[7] = std::byte{201};  // one byte too many
  EXPECT_EQ(code_of([&] { decode(pipeline, stored); }), "corrupt-chunk");
  stored[7] = std::byte{200};
  stored[8] = std::byte{5};  // before the first byte
  EXPECT_EQ(code_of([&] { decode(pipeline, stored); }), "corrupt-chunk");
}

TEST(ChunkDecoder, UnshuffleOfEveryElementSize) {
  for (std::size_t element = 1; element <= 17; ++element)
    for (const std::size_t n : {0, 1, 15, 16, 17, 33, 1000})
      for (const std::size_t leftover : {std::size_t{0}, element - 1}) {
        const Bytes data = test::sample_bytes(n * element + leftover);
        Bytes out(data.size());
        unshuffle(test::shuffle(data, element), out, element);
        EXPECT_EQ(out, data) << element << " " << n;
      }
}

TEST(ChunkDecoder, SaysWhatItCannotDecode) {
  EXPECT_TRUE(can_decode(pipeline_of({}, 10)));
  for (const Case& c : cases()) EXPECT_TRUE(can_decode(pipeline_of(c.steps, 10))) << c.name;
  for (const int other : {4, 5, 6, 32008, 32026, 0, -1}) EXPECT_FALSE(can_decode(pipeline_of({{other, {}}}, 10))) << other;
  EXPECT_FALSE(can_decode(pipeline_of({step(FilterId::deflate), {32008, {}}}, 10)));
  EXPECT_FALSE(can_decode(pipeline_of({step(FilterId::shuffle, {0})}, 10)));
  EXPECT_THROW(ChunkDecoder(pipeline_of({{32008, {}}}, 10)), Error);
}

TEST(ChunkDecoder, NeedsNoScratchForOneStep) {
  EXPECT_LT(ChunkDecoder::scratch_bytes(pipeline_of({step(FilterId::deflate)}, 100 << 20)), std::size_t{1} << 20);
  EXPECT_LT(ChunkDecoder::scratch_bytes(pipeline_of({step(FilterId::deflate), step(FilterId::fletcher32)}, 100 << 20)),
            std::size_t{1} << 20);
  EXPECT_GE(ChunkDecoder::scratch_bytes(pipeline_of({step(FilterId::shuffle), step(FilterId::deflate)}, 100 << 20)),
            std::size_t{100} << 20);
}

// Least of several tries, so that other work on the machine does not decide.
double seconds(const std::function<void()>& action) {
  double least = 1e9;
  for (int i = 0; i < 7; ++i) {
    const auto start = std::chrono::steady_clock::now();
    action();
    least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return least;
}

TEST(ChunkDecoder, UnshuffleCostsLittleBesideInflate) {
  const Bytes data = test::sample_bytes(4 << 20), shuffled = test::shuffle(data, 4);
  const Bytes stored = test::deflate(shuffled);
  Bytes out(data.size());
  ChunkDecoder inflate(pipeline_of({step(FilterId::deflate)}, data.size()));
  const double inflate_s = seconds([&] { inflate.decode(stored, 0, out, "/X/data"); });
  const double unshuffle_s = seconds([&] { unshuffle(shuffled, out, 4); });
  EXPECT_LT(unshuffle_s, inflate_s) << "a step of plain byte moves must not cost as much as inflating";
  RecordProperty("unshuffle_share_percent", static_cast<int>(100 * unshuffle_s / inflate_s));
}

TEST(StreamingInflate, ReadsInPiecesOfAnySize) {
  const Bytes data = test::sample_bytes(100001), stored = test::deflate(data);
  StreamingInflate inflate;
  for (const std::size_t in_step : {std::size_t{1}, std::size_t{777}, stored.size()})
    for (const std::size_t out_step : {std::size_t{13}, std::size_t{4096}, data.size()}) {
      inflate.restart();
      Bytes out(data.size());
      std::size_t given = 0, written = 0;
      std::span<const std::byte> in;
      while (written < data.size()) {
        if (in.empty()) in = std::span(stored).subspan(given, std::min(in_step, stored.size() - given));
        if (in.empty()) break;
        const std::size_t before = in.size();
        written += inflate.read(in, std::span(out).subspan(written, std::min(out_step, data.size() - written)), "/X/data");
        given += before - in.size();
      }
      ASSERT_EQ(written, data.size());
      EXPECT_EQ(out, data);
      inflate.finish(std::span(stored).subspan(given), "/X/data");
    }
}

TEST(StreamingInflate, FindsDamage) {
  const Bytes data = test::sample_bytes(5000), stored = test::deflate(data);
  const auto read_all = [&](const Bytes& from, std::size_t wanted) {
    StreamingInflate inflate;
    Bytes out(wanted);
    std::span<const std::byte> in(from);
    inflate.read(in, out, "/X/data");
    inflate.finish(in, "/X/data");
  };
  EXPECT_NO_THROW(read_all(stored, data.size()));
  EXPECT_EQ(code_of([&] { read_all(stored, data.size() - 1); }), "corrupt-chunk");  // more in the stream than the chunk holds
  EXPECT_EQ(code_of([&] { read_all(Bytes(stored.begin(), stored.end() - 1), data.size()); }), "corrupt-chunk");
  Bytes damaged = stored;
  damaged.back() ^= std::byte{1};
  EXPECT_EQ(code_of([&] { read_all(damaged, data.size()); }), "corrupt-chunk");
  damaged = stored;
  damaged[damaged.size() / 2] ^= std::byte{0xFF};
  try {
    read_all(damaged, data.size());
    ADD_FAILURE();
  } catch (const Error& error) {  // at once, not when the stream has come to no end
    EXPECT_NE(std::string(error.what()).find("does not inflate"), std::string::npos) << error.what();
  }
  damaged = stored;
  damaged.push_back(std::byte{7});
  EXPECT_EQ(code_of([&] { read_all(damaged, data.size()); }), "corrupt-chunk");
}

}  // namespace
}  // namespace quern::io
