#include "host/cpu/common_counts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

namespace quern {
namespace {

template <class V>
void check(const std::vector<V>& values, CommonCounts (*take)(const V*, std::int32_t, std::uint64_t*)) {
  const auto n = static_cast<std::int32_t>(values.size());
  constexpr std::uint64_t untouched = 0x5a5a5a5a5a5a5a5aULL;
  std::vector<std::uint64_t> others(other_words(n) + 1, untouched);
  const CommonCounts common = take(values.data(), n, others.data());
  EXPECT_EQ(common.ones, std::count(values.begin(), values.end(), V{1}));
  EXPECT_EQ(common.twos, std::count(values.begin(), values.end(), V{2}));
  EXPECT_EQ(common.threes, std::count(values.begin(), values.end(), V{3}));
  for (std::size_t i = 0; i < 64 * other_words(n); ++i) {
    const bool other = i < values.size() && !(values[i] == V{1} || values[i] == V{2} || values[i] == V{3});
    EXPECT_EQ((others[i / 64] >> i % 64 & 1U) != 0, other) << "value " << i << " of " << n;
  }
  EXPECT_EQ(others.back(), untouched);
}

template <class V>
void check_lengths(CommonCounts (*take)(const V*, std::int32_t, std::uint64_t*)) {
  const std::vector<V> seen{
      1, 2, 3, 4, 0, -1, V{1.5}, V{16777216.0}, std::numeric_limits<V>::quiet_NaN(), std::numeric_limits<V>::infinity()};
  std::mt19937 random(7);
  std::discrete_distribution<std::size_t> draw{20, 10, 5, 1, 1, 1, 1, 1, 1, 1};
  for (std::size_t n = 0; n < 260; ++n) {
    std::vector<V> values(n);
    std::generate(values.begin(), values.end(), [&] { return seen[draw(random)]; });
    check(values, take);
  }
}

// Every vector width this machine has.
TEST(CommonCounts, AgreeOnEveryTarget) {
  ASSERT_STREQ(common_targets().back().name, "baseline");
  for (const CommonTarget& target : common_targets()) {
    SCOPED_TRACE(target.name);
    check<float>(std::vector<float>(1000, 2.0F), target.floats);
    check_lengths<float>(target.floats);
    check_lengths<double>(target.doubles);
  }
}

}  // namespace
}  // namespace quern
