#include "host/cpu/count_lookup.hpp"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace quern {
namespace {

// Every vector width this machine has, every length up to some vectors and their rest, in place and not.
TEST(CountLookup, CountsAreReplacedAndTheOthersListed) {
  std::array<float, lookup_counts> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = 1000.0F + static_cast<float>(i);
  const std::array<float, 11> values{1, 2, 4, 3, 0, 16, 17, -1, 255, 8, 9};
  ASSERT_STREQ(lookup_targets().back().name, "baseline");
  for (const LookupTarget& target : lookup_targets())
    for (std::size_t n = 0; n < 70; ++n) {
      SCOPED_TRACE(std::string(target.name) + ", " + std::to_string(n));
      std::vector<float> in(n), out(n, -7);
      for (std::size_t i = 0; i < n; ++i) in[i] = values[i * 7 % values.size()];
      std::vector<std::uint32_t> others(n + 1);
      others.resize(target.look_up(in.data(), n, table.data(), out.data(), others.data()));
      std::size_t other = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const bool listed = other < others.size() && others[other] == i;
        if (listed) ++other;
        const bool always_looked_up = in[i] >= 1 && in[i] <= 8, never = in[i] < 1 || in[i] > 16;
        EXPECT_TRUE(listed ? !always_looked_up : !never) << in[i];
        EXPECT_EQ(out[i], listed ? in[i] : in[i] + 999) << i;
      }
      EXPECT_EQ(other, others.size()) << "listed in order, none twice";
      std::vector<std::uint32_t> again(n + 1);
      again.resize(target.look_up(in.data(), n, table.data(), in.data(), again.data()));
      EXPECT_EQ(in, out);
      EXPECT_EQ(again, others);
    }
}

}  // namespace
}  // namespace quern
