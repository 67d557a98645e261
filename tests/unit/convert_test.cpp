#include "io/decode/convert.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/error.hpp"

namespace quern::io {
namespace {

template <class T>
std::vector<std::byte> stored(const std::vector<T>& values, bool big_endian) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  if (big_endian)
    for (std::size_t i = 0; i < bytes.size(); i += sizeof(T))
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i), bytes.begin() + static_cast<std::ptrdiff_t>(i + sizeof(T)));
  return bytes;
}

template <class T>
void check_integers(StoredKind kind, const std::vector<T>& values) {
  for (const bool big : {false, true}) {
    const StoredType type{kind, sizeof(T), big};
    const auto raw = stored(values, big);
    std::vector<double> out(values.size());
    convert_values(type, raw.data(), values.size(), ValueType::f64, reinterpret_cast<std::byte*>(out.data()));
    std::vector<std::uint32_t> columns(values.size());
    convert_columns(type, raw.data(), values.size(), columns.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(out[i], static_cast<double>(values[i]));
      const bool fits = values[i] >= 0 && static_cast<double>(values[i]) < 4294967295.0;
      EXPECT_EQ(columns[i], fits ? static_cast<std::uint32_t>(values[i]) : 4294967295U);
    }
  }
}

TEST(Convert, EveryIntegerType) {
  check_integers<std::int8_t>(StoredKind::signed_integer, {0, 1, -1, 127, -128});
  check_integers<std::uint8_t>(StoredKind::unsigned_integer, {0, 1, 255});
  check_integers<std::int16_t>(StoredKind::signed_integer, {0, 258, -2, 32767});
  check_integers<std::uint16_t>(StoredKind::unsigned_integer, {0, 258, 65535});
  check_integers<std::int32_t>(StoredKind::signed_integer, {0, 16909060, -5, 2147483647});
  check_integers<std::uint32_t>(StoredKind::unsigned_integer, {0, 16909060, 4294967294U});
  check_integers<std::int64_t>(StoredKind::signed_integer, {0, 1, -1, 1LL << 40});
  check_integers<std::uint64_t>(StoredKind::unsigned_integer, {0, 1, 1ULL << 40, 4294967296ULL});
}

TEST(Convert, IntegersThatFloatCannotHoldAskForDouble) {
  const std::vector<std::int32_t> exact{1 << 24, -(1 << 24), 1 << 30}, inexact{(1 << 24) + 1};
  std::vector<float> out(3);
  const StoredType type{StoredKind::signed_integer, 4, false};
  convert_values(type, stored(exact, false).data(), 3, ValueType::f32, reinterpret_cast<std::byte*>(out.data()));
  EXPECT_EQ(out[2], 1073741824.0F);
  EXPECT_THROW(convert_values(type, stored(inexact, false).data(), 1, ValueType::f32, reinterpret_cast<std::byte*>(out.data())),
               NeedsWiderValues);
}

TEST(Convert, IntegersThatDoubleCannotHoldAreRefused) {
  const std::vector<std::int64_t> exact{std::int64_t{1} << 53, -(std::int64_t{1} << 53)}, inexact{(std::int64_t{1} << 53) + 1};
  std::vector<double> out(2);
  const StoredType type{StoredKind::signed_integer, 8, false};
  convert_values(type, stored(exact, false).data(), 2, ValueType::f64, reinterpret_cast<std::byte*>(out.data()));
  EXPECT_EQ(out[1], -9007199254740992.0);
  EXPECT_THROW(convert_values(type, stored(inexact, false).data(), 1, ValueType::f64, reinterpret_cast<std::byte*>(out.data())), Error);
}

TEST(Convert, HalfPrecision) {
  const std::vector<std::uint16_t> halves{0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000};
  std::vector<float> out(halves.size());
  convert_values({StoredKind::real, 2, true}, stored(halves, true).data(), halves.size(), ValueType::f32,
                 reinterpret_cast<std::byte*>(out.data()));
  EXPECT_EQ(out, (std::vector<float>{1.0F, -2.0F, std::ldexp(1.0F, -24), 65504.0F, std::numeric_limits<float>::infinity(), -0.0F}));
  const std::vector<std::uint16_t> nan{0x7e00};
  convert_values({StoredKind::real, 2, false}, stored(nan, false).data(), 1, ValueType::f32, reinterpret_cast<std::byte*>(out.data()));
  EXPECT_TRUE(std::isnan(out[0]));
}

}  // namespace
}  // namespace quern::io
