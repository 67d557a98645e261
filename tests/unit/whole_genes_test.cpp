#include "host/cpu/whole_genes.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

namespace quern {
namespace {

// One row of two genes, of which the second is in set 1, folded `times` times.
struct Folded {
  Folded(double value, std::int64_t times, ChunkFacts facts) {
    const std::array<std::uint32_t, 2> columns{0, 1};
    const std::array<double, 2> values{value, value};
    for (std::int64_t i = 0; i < times; ++i) {
      const auto fold = genes.fold_for<double>(facts, 1);
      last = (genes.*fold)(columns.data(), values.data(), 2, sets.data());
    }
  }
  std::vector<std::uint32_t> members{0, 2};
  WholeGenes genes{members, 3};
  std::array<Total, 2> sets{};
  RowFold last;
};

void expect_sums(const Folded& folded, std::int64_t value, std::int64_t times) {
  const std::int64_t counted = value != 0;
  for (const std::size_t gene : {0U, 1U}) {
    EXPECT_EQ(folded.genes.result(gene).sum, value * times);
    EXPECT_EQ(folded.genes.result(gene).n_nonzero, counted * times);
  }
  EXPECT_EQ(folded.genes.result(2).sum, 0);
  EXPECT_EQ(folded.genes.result(2).n_nonzero, 0);
  EXPECT_EQ(folded.sets[0].whole, 0);
  EXPECT_EQ(folded.sets[1].whole, value * times);
  EXPECT_EQ(folded.last.total, 2 * value);
  EXPECT_EQ(folded.last.n_nonzero, 2 * counted);
}

ChunkFacts facts_of(double value) {
  ChunkFacts facts;
  facts.has_zero = value == 0;
  facts.has_negative = value < 0;
  facts.max_abs = std::abs(value);
  return facts;
}

TEST(WholeGenes, SumsBeyondAWord) { expect_sums(Folded(2147483647, 5000, facts_of(2147483647)), 2147483647, 5000); }
TEST(WholeGenes, CountsBeyondAWord) { expect_sums(Folded(1, (1 << 23) + 5, facts_of(1)), 1, (1 << 23) + 5); }
TEST(WholeGenes, NegativeValues) { expect_sums(Folded(-2147483647, 5000, facts_of(-2147483647)), -2147483647, 5000); }
TEST(WholeGenes, Zeros) { expect_sums(Folded(0, 10, facts_of(0)), 0, 10); }

TEST(WholeGenes, WordsAndWideSumsTogether) {
  Folded folded(3, 7, facts_of(3));
  const std::array<std::uint32_t, 2> columns{1, 2};
  const std::array<double, 2> values{-10, 4};
  ChunkFacts facts;
  facts.has_negative = true;
  facts.max_abs = 10;
  const auto fold = folded.genes.fold_for<double>(facts, 1);
  const RowFold row = (folded.genes.*fold)(columns.data(), values.data(), 2, folded.sets.data());
  EXPECT_EQ(row.total, -6);
  EXPECT_EQ(folded.genes.result(1).sum, 11);
  EXPECT_EQ(folded.genes.result(1).n_nonzero, 8);
  EXPECT_EQ(folded.genes.result(2).sum, 4);
  EXPECT_EQ(folded.sets[1].whole, 11);
}

}  // namespace
}  // namespace quern
