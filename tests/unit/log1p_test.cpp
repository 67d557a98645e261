#include "host/ops/log1p.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace quern {
namespace {

TEST(Log1p, IsWithinTwoUlpOfTheLibrary) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 200000; ++i) {
    const double x = std::ldexp(std::uniform_real_distribution<>(0.5, 1)(random), static_cast<int>(random() % 120) - 60);
    const double expected = std::log1p(x), got = log1p_exact_order(x);
    ASSERT_NEAR(got, expected, 2 * (std::nextafter(expected, 1e300) - expected)) << x;
    const double negative = -std::uniform_real_distribution<>(0, 1)(random);
    ASSERT_NEAR(log1p_exact_order(negative), std::log1p(negative), 4e-16 * std::max(1e-3, std::abs(std::log1p(negative)))) << negative;
  }
}

TEST(Log1p, Edges) {
  EXPECT_EQ(log1p_exact_order(0.0), 0.0);
  EXPECT_EQ(log1p_exact_order(-1.0), -INFINITY);
  EXPECT_TRUE(std::isnan(log1p_exact_order(-1.5)));
  EXPECT_TRUE(std::isnan(log1p_exact_order(NAN)));
  EXPECT_EQ(log1p_exact_order(INFINITY), INFINITY);
}

}  // namespace
}  // namespace quern
