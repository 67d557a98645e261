#include "cuda/architectures.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace quern::cuda {
namespace {

TEST(Architectures, CodeRunsOnItsOwnKindAndPtxOnLaterOnes) {
  const std::vector<int> all{80, 90, 100, 120}, one{90};
  for (const auto& [major, minor] : {std::pair(8, 0), {8, 6}, {8, 9}, {9, 0}, {10, 3}, {12, 0}, {12, 1}, {13, 0}})
    EXPECT_TRUE(has_code_for(all, major, minor)) << major << minor;
  EXPECT_FALSE(has_code_for(all, 7, 5));
  EXPECT_FALSE(has_code_for(all, 11, 0));  // between two of them, before the PTX
  EXPECT_TRUE(has_code_for(one, 9, 0) && has_code_for(one, 10, 0));
  EXPECT_FALSE(has_code_for(one, 8, 9));
  EXPECT_FALSE(has_code_for({}, 9, 0));
}

}  // namespace
}  // namespace quern::cuda
