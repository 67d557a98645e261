#include "host/core/chunk_plan.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace quern {
namespace {

TEST(ChunkPlan, CutsWholeRowsWithinTheLimit) {
  const std::vector<std::int64_t> indptr{5, 7, 7, 10, 20, 21};
  const ChunkLimits limits{5, 100};
  EXPECT_EQ(next_chunk(indptr, 0, limits).last, 3);
  EXPECT_EQ(next_chunk(indptr, 3, limits).last, 4);  // a row above the limit stands alone
  EXPECT_EQ(next_chunk(indptr, 4, limits).last, 5);
  EXPECT_EQ(next_chunk(indptr, 5, limits).size(), 0);
}

TEST(ChunkPlan, BoundsEmptyRowsByRowCount) {
  const std::vector<std::int64_t> indptr(11, 0);
  EXPECT_EQ(next_chunk(indptr, 0, {100, 4}).last, 4);
  EXPECT_EQ(next_chunk(indptr, 8, {100, 4}).last, 10);
}

TEST(ChunkPlan, OffsetsBeyond32Bits) {
  const std::int64_t base = (std::int64_t{1} << 33) + 7;
  const std::vector<std::int64_t> indptr{base, base + 3, base + 6, base + 9};
  EXPECT_EQ(next_chunk(indptr, 0, {6, 100}).last, 2);
  EXPECT_EQ(next_chunk(indptr, 2, {6, 100}).last, 3);
}

}  // namespace
}  // namespace quern
