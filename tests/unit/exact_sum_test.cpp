#include "host/ops/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace quern {
namespace {

using Sum = ExactSums<double>::Sum;

double sum_of(const std::vector<double>& values) {
  Sum sum;
  for (const double x : values) sum.observe(x);
  return sum.value();
}

TEST(ExactSum, SurvivesCancellation) {
  EXPECT_EQ(sum_of({1e16, 1.0, -1e16}), 1.0);
  EXPECT_EQ(sum_of({1e308, 1e308, -1e308, -1e308, 5e-324}), 5e-324);
  EXPECT_EQ(sum_of({-3.5, 1.25}), -2.25);
  EXPECT_EQ(sum_of({}), 0.0);
}

// The fixture must be one that a reordering changes in plain arithmetic, else the test above proves nothing.
TEST(ExactSum, TheCancellingPairExposesPlainSums) {
  const double one_order = (1e16 + 1.0) + -1e16, other_order = (1e16 + -1e16) + 1.0;
  EXPECT_NE(one_order, other_order);
}

TEST(ExactSum, RoundsToNearestEven) {
  const double ulp = std::ldexp(1.0, -52);
  EXPECT_EQ(sum_of({1.0, ulp / 2}), 1.0);
  EXPECT_EQ(sum_of({1.0 + ulp, ulp / 2}), 1.0 + 2 * ulp);
  EXPECT_EQ(sum_of({1.0, ulp / 2, 5e-324}), 1.0 + ulp);
  EXPECT_EQ(sum_of({1.0, ulp / 2, -5e-324}), 1.0);
}

TEST(ExactSum, SpecialValues) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sum_of({1.0, infinity}), infinity);
  EXPECT_EQ(sum_of({-infinity, 3.0}), -infinity);
  EXPECT_TRUE(std::isnan(sum_of({infinity, -infinity})));
  EXPECT_TRUE(std::isnan(sum_of({std::numeric_limits<double>::quiet_NaN(), 1.0})));
  EXPECT_EQ(sum_of({std::numeric_limits<double>::max(), std::numeric_limits<double>::max()}), infinity);
}

TEST(ExactSum, IsIndependentOfOrderAndOfSplitting) {
  std::mt19937_64 random(1);
  std::vector<double> values;
  for (int i = 0; i < 2000; ++i)
    values.push_back(std::ldexp(std::uniform_real_distribution<>(-1, 1)(random), static_cast<int>(random() % 200) - 100));
  const double expected = sum_of(values);
  for (int round = 0; round < 5; ++round) {
    std::shuffle(values.begin(), values.end(), random);
    Sum first, second;
    for (std::size_t i = 0; i < values.size(); ++i) (i % 3 ? first : second).observe(values[i]);
    first.combine(second);
    EXPECT_EQ(first.value(), expected);
  }
}

TEST(ExactSum, FloatsAndTheirSquares) {
  using FloatSum = ExactSums<float>::Sum;
  using SquareSum = ExactSums<float>::SquareSum;
  FloatSum sum;
  SquareSum squares;
  const float tiny = std::numeric_limits<float>::denorm_min(), huge = std::numeric_limits<float>::max();
  for (const float x : {tiny, huge, -huge, 1.5F}) {
    sum.observe(static_cast<double>(x));
    squares.observe(static_cast<double>(x) * static_cast<double>(x));
  }
  EXPECT_EQ(sum.value(), 1.5);
  EXPECT_EQ(squares.value(), 2.0 * static_cast<double>(huge) * static_cast<double>(huge));
}

TEST(ExactSum, PreciseKeepsWhatADoubleLoses) {
  Sum sum;
  sum.observe(1e16);
  sum.observe(0.25);
  EXPECT_EQ(static_cast<double>(sum.precise() - static_cast<real128>(1e16)), 0.25);
}

}  // namespace
}  // namespace quern
