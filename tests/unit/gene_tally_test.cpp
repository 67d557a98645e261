// Numbers of cells and sums of genes over the cells that stay, however they are divided among chunks and tallies.
#include "host/cpu/gene_tally.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace quern {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Two rows over four genes.
template <class V>
struct Chunk {
  std::vector<std::int32_t> offsets{0, 3, 6};
  std::vector<std::uint32_t> columns{0, 1, 3, 0, 2, 3};
  std::vector<V> values;
  ChunkFacts facts;

  CsrChunkView<MemorySpace::host> view() const {
    const ValueType type = sizeof(V) == 4 ? ValueType::f32 : ValueType::f64;
    return {0, 2, 4, offsets.data(), columns.data(), values.data(), type, facts};
  }
};

template <class V>
Chunk<V> chunk_of(std::vector<V> values) {
  Chunk<V> chunk;
  chunk.values = std::move(values);
  for (const V value : chunk.values) {
    chunk.facts.whole = chunk.facts.whole && value == std::trunc(value);
    chunk.facts.has_zero = chunk.facts.has_zero || value == 0;
    chunk.facts.has_negative = chunk.facts.has_negative || value < 0;
    chunk.facts.has_nan = chunk.facts.has_nan || std::isnan(value);
  }
  return chunk;
}

const std::vector<std::uint8_t> both{1, 1}, second{0, 1};

TEST(GeneTally, CountsOnlyWhatIsAboveZeroInKeptRows) {
  GeneTally tally(4, {true, false});
  tally.observe(chunk_of<float>({1, 2, 3, 4, 5, 6}).view(), second);
  tally.observe(chunk_of<float>({0, -2, 3, 1, -5, static_cast<float>(nan)}).view(), both);
  EXPECT_EQ(tally.n_positive(0), 2);
  EXPECT_EQ(tally.n_positive(1), 0);
  EXPECT_EQ(tally.n_positive(2), 1);
  EXPECT_EQ(tally.n_positive(3), 2);
}

TEST(GeneTally, SumsWholeAndOtherChunksTogether) {
  GeneTally tally(4, {false, true}), other(4, {false, true});
  tally.observe(chunk_of<double>({1, 2, 3, 4, 5, 6}).view(), both);
  other.observe(chunk_of<double>({0.1, 0.2, 1e300, 0.3, 0.5, -1e300}).view(), both);
  tally.combine(other);
  EXPECT_EQ(tally.sum(0), 5.4);
  EXPECT_EQ(tally.sum(1), 2.2);
  EXPECT_EQ(tally.sum(2), 5.5);
  EXPECT_EQ(tally.sum(3), 9);  // rounded once: the large ones cancel
}

TEST(GeneTally, SumsDoNotDependOnWhoSawWhat) {
  const auto a = chunk_of<float>({0.1F, 3, 1e30F, 7, 0.25F, -1e30F}), b = chunk_of<float>({5, 6, 7, 8, 9, 10});
  GeneTally together(4, {true, true}), first(4, {true, true}), later(4, {true, true});
  together.observe(a.view(), both);
  together.observe(b.view(), second);
  later.observe(a.view(), both);
  first.observe(b.view(), second);
  first.combine(later);
  for (std::size_t gene = 0; gene < 4; ++gene) {
    EXPECT_EQ(first.sum(gene), together.sum(gene));
    EXPECT_EQ(first.n_positive(gene), together.n_positive(gene));
  }
}

TEST(GeneTally, RowsAreCounted) {
  std::vector<std::int32_t> found(2);
  count_positive(chunk_of<double>({1, 0, -1, nan, 2, 3}).view(), found.data());
  EXPECT_EQ(found, (std::vector<std::int32_t>{1, 2}));
}

TEST(GeneTally, RoomForSumsDependsOnTheType) {
  const GeneTallyWants sums{false, true};
  EXPECT_EQ(GeneTally::bytes(10, {true, false}, false, ValueType::f64), 40U);
  EXPECT_EQ(GeneTally::bytes(10, sums, true, ValueType::f64), 80U);
  EXPECT_LT(GeneTally::bytes(10, sums, false, ValueType::f32), GeneTally::bytes(10, sums, false, ValueType::f64));
}

}  // namespace
}  // namespace quern
