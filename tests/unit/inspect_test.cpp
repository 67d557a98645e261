#include "io/decode/inspect.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace quern::io {
namespace {

template <class V>
void check_inspect(const InspectTarget& target) {
  constexpr V infinity = std::numeric_limits<V>::infinity(), nan = std::numeric_limits<V>::quiet_NaN();
  for (std::size_t n = 1; n < 70; ++n)
    for (std::size_t at = 0; at < n; ++at) {
      std::vector<V> values(n, V{3});
      EXPECT_TRUE(inspect(values.data(), n, target).whole);
      EXPECT_EQ(inspect(values.data(), n, target).max_abs, 3);
      const auto with = [&](V x) {
        values[at] = x;
        return inspect(values.data(), n, target);
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

void check_ascending(const InspectTarget& target) {
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<std::uint32_t> columns;
    for (std::size_t i = 0; i < n; ++i) columns.push_back(static_cast<std::uint32_t>(i) + 0x7ffffff0U);  // across the sign bit
    EXPECT_TRUE(target.ascending(columns.data(), n));
    for (std::size_t at = 1; at < n; ++at) {
      auto equal = columns, falling = columns;
      equal[at] = equal[at - 1];
      falling[at] = 3;
      EXPECT_FALSE(target.ascending(equal.data(), n));
      EXPECT_FALSE(target.ascending(falling.data(), n));
    }
  }
}

// Every vector width this machine has.
TEST(Inspect, AgreesOnEveryTarget) {
  ASSERT_STREQ(inspect_targets().back().name, "baseline");
  for (const InspectTarget& target : inspect_targets()) {
    SCOPED_TRACE(target.name);
    check_inspect<float>(target);
    check_inspect<double>(target);
    check_ascending(target);
  }
}

}  // namespace
}  // namespace quern::io
