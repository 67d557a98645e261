#include "io/tables/field_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace quern::io {
namespace {

template <class Number>
std::string text_of(Number number) {
  std::string text;
  append_number(text, number);
  return text;
}
std::string field_of(std::string_view field) {
  std::string text;
  append_text(text, field);
  return text;
}

TEST(FieldText, ShortestNumbers) {
  EXPECT_EQ(text_of(3.0), "3");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(-2.5), "-2.5");
  EXPECT_EQ(text_of(1e22), "1e+22");
  EXPECT_EQ(text_of(std::nan("")), "nan");
  EXPECT_EQ(text_of(-std::nan("")), "nan");
  EXPECT_EQ(text_of(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(text_of(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
}

TEST(FieldText, DoublesReadBack) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = random();
    double number = 0;
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    const std::string text = text_of(number);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), number) << text;
    ASSERT_LE(text.size(), 24U);
  }
}

TEST(FieldText, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(field_of("MT-ND1"), "MT-ND1");
  EXPECT_EQ(field_of("a b,c"), "a b,c");
  EXPECT_EQ(field_of(""), "");
  EXPECT_EQ(field_of("a\tb"), "\"a\tb\"");
  EXPECT_EQ(field_of("say \"x\""), "\"say \"\"x\"\"\"");
  EXPECT_EQ(field_of("two\nlines"), "\"two\nlines\"");
}

}  // namespace
}  // namespace quern::io
