#include "io/decode/convert.hpp"

#include <gtest/gtest.h>
#include <hwy/targets.h>

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

template <class V>
void check_inspect() {
  constexpr V infinity = std::numeric_limits<V>::infinity(), nan = std::numeric_limits<V>::quiet_NaN();
  for (std::size_t n = 1; n < 70; ++n)
    for (std::size_t at = 0; at < n; ++at) {
      std::vector<V> values(n, V{3});
      EXPECT_TRUE(inspect(values.data(), n).whole);
      EXPECT_EQ(inspect(values.data(), n).max_abs, 3);
      const auto with = [&](V x) {
        values[at] = x;
        return inspect(values.data(), n);
      };
      EXPECT_TRUE(with(0).has_zero);
      EXPECT_TRUE(with(-7).has_negative);
      EXPECT_TRUE(with(-7).whole);
      EXPECT_EQ(with(-7).max_abs, 7);
      EXPECT_FALSE(with(V{0.5}).whole);
      EXPECT_FALSE(with(V{2147483648.0}).whole);
      EXPECT_FALSE(with(V{-2147483648.0}).whole);
      EXPECT_TRUE(with(nan).has_nan);
      EXPECT_FALSE(with(nan).whole);
      EXPECT_EQ(with(nan).max_abs, n > 1 ? 3 : 0);
      EXPECT_TRUE(with(infinity).has_infinity);
      EXPECT_FALSE(with(-infinity).whole);
      EXPECT_FALSE(with(V{1}).has_zero || with(V{1}).has_negative || with(V{1}).has_nan || with(V{1}).has_infinity);
    }
}

void check_ascending() {
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<std::uint32_t> columns;
    for (std::size_t i = 0; i < n; ++i) columns.push_back(static_cast<std::uint32_t>(i) + 0x7ffffff0U);  // across the sign bit
    EXPECT_TRUE(is_ascending(columns.data(), n));
    for (std::size_t at = 1; at < n; ++at) {
      auto equal = columns, falling = columns;
      equal[at] = equal[at - 1];
      falling[at] = 3;
      EXPECT_FALSE(is_ascending(equal.data(), n));
      EXPECT_FALSE(is_ascending(falling.data(), n));
    }
  }
}

// Every vector width this machine has, then the automatic choice again.
TEST(Convert, InspectAgreesOnEveryTarget) {
  std::int64_t left = static_cast<std::int64_t>(hwy::SupportedTargets());
  ASSERT_NE(left, 0);
  for (; left != 0; left &= left - 1) {
    hwy::SetSupportedTargetsForTest(left & -left);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    check_inspect<float>();
    check_inspect<double>();
    check_ascending();
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

}  // namespace
}  // namespace quern::io
