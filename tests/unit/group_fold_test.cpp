// Sums over groups of cells: against plain sums in wide arithmetic, and the same bits for any chunks.
#include "host/cpu/group_fold.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "host/core/error.hpp"
#include "host/ops/expm1_log.hpp"
#include "tests/support/memory_source.hpp"

namespace quern {
namespace {

__extension__ using wide = __float128;

constexpr std::int64_t n_genes = 12, n_groups = 3;
constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
const GroupWants everything{true, true, true, true};

struct Matrix {
  std::vector<std::vector<test::Entry>> rows;
  std::vector<std::int32_t> group_of;
};

// kind 0: counts, 1: counts, then others from row 30 on, 2: any numbers, also below 0, 3: constant genes
Matrix random_matrix(unsigned seed, int kind) {
  std::mt19937_64 random(seed);
  Matrix matrix;
  for (int r = 0; r < 60; ++r) {
    std::vector<test::Entry> row;
    for (std::uint32_t gene = 0; gene < n_genes; ++gene) {
      if (kind != 3 && random() % 3 == 0) continue;
      double value = static_cast<double>(random() % 2000);
      if (kind == 2 || (kind == 1 && r >= 30)) value = static_cast<double>(static_cast<float>(value * 0.37 - 100));
      if (kind == 3) value = static_cast<double>(static_cast<float>(0.1 * (gene + 1)));
      row.push_back({gene, value});
    }
    matrix.rows.push_back(row);
    matrix.group_of.push_back(static_cast<std::int32_t>(random() % 4) - 1);
  }
  return matrix;
}

void add_in_chunks(GroupFold& fold, const Matrix& matrix, std::int64_t chunk_nnz, ValueType type) {
  test::MemorySource source(matrix.rows, n_genes);
  const SourcePlan plan = source.plan({chunk_nnz, 2, 1 << 20, 0, type});
  std::vector<std::int32_t> offsets(static_cast<std::size_t>(plan.slot.max_rows) + 1);
  std::vector<std::uint32_t> columns(static_cast<std::size_t>(plan.slot.max_nnz));
  std::vector<std::byte> values(columns.size() * size_of(type));
  ChunkBuffer slot;
  slot.offsets = offsets.data();
  slot.columns = columns.data();
  slot.values = values.data();
  slot.value_type = type;
  source.start({});
  while (source.fetch(slot)) {
    source.decode(slot);
    const auto first = static_cast<std::size_t>(slot.rows.first), n = static_cast<std::size_t>(slot.rows.size());
    fold.add({slot.rows.first, static_cast<std::int32_t>(n), n_genes, offsets.data(), columns.data(), values.data(), type, slot.facts},
             std::span(matrix.group_of).subspan(first, n));
  }
}

struct Naive {
  wide sum = 0, squares = 0;
  std::int64_t nonzero = 0, positive = 0, cells = 0;
  double mean() const { return static_cast<double>(sum / cells); }
  double var(const std::vector<double>& values) const {  // two passes
    wide spread = 0;
    const wide middle = sum / cells;
    for (const double value : values) spread += (value - middle) * (value - middle);
    spread += (cells - static_cast<std::int64_t>(values.size())) * middle * middle;
    return static_cast<double>(spread / (cells - 1));
  }
};

void expect_naive(const GroupFold& fold, const Matrix& matrix, double tolerance) {
  for (std::int32_t group = 0; group < n_groups; ++group)
    for (std::uint32_t gene = 0; gene < n_genes; ++gene) {
      Naive naive;
      std::vector<double> values;
      for (std::size_t r = 0; r < matrix.rows.size(); ++r) {
        if (matrix.group_of[r] != group) continue;
        ++naive.cells;
        for (const auto& entry : matrix.rows[r]) {
          if (entry.column != gene) continue;
          values.push_back(entry.value);
          naive.sum += entry.value;
          naive.nonzero += entry.value != 0;
          naive.positive += entry.value > 0;
        }
      }
      ASSERT_GT(naive.cells, 1);
      EXPECT_EQ(fold.real_sum(group, gene), static_cast<double>(naive.sum));
      EXPECT_EQ(fold.nonzero(group, gene), naive.nonzero);
      EXPECT_EQ(fold.positive(group, gene), naive.positive);
      const MeanVar moments = fold.mean_var(group, gene, naive.cells);
      EXPECT_NEAR(moments.mean, naive.mean(), 1e-15 * std::abs(naive.mean()));
      EXPECT_EQ(fold.mean(group, gene, naive.cells), moments.mean);
      EXPECT_NEAR(moments.var, naive.var(values), tolerance * naive.var(values));
    }
}

TEST(GroupFold, IsWhatPlainSumsGive) {
  for (int kind = 0; kind < 3; ++kind)
    for (const ValueType type : {ValueType::f32, ValueType::f64}) {
      const Matrix matrix = random_matrix(static_cast<unsigned>(kind), kind);
      MemoryBudget budget(1 << 20);
      GroupFold fold(n_groups, n_genes, everything, budget);
      EXPECT_EQ(budget.limit() - budget.available(), GroupFold::bytes(n_groups, n_genes, everything));
      add_in_chunks(fold, matrix, 1000, type);
      EXPECT_EQ(fold.is_whole(), kind == 0);
      expect_naive(fold, matrix, 1e-14);
      fold.restart();
      add_in_chunks(fold, matrix, 1000, type);
      expect_naive(fold, matrix, 1e-14);
    }
}

TEST(GroupFold, SumsOfWholeNumbersAreWhole) {
  const Matrix matrix = random_matrix(0, 0);
  MemoryBudget budget(1 << 20);
  GroupFold fold(n_groups, n_genes, {true}, budget);
  add_in_chunks(fold, matrix, 50, ValueType::f32);
  EXPECT_EQ(fold.sum(1, 4).whole, static_cast<std::int64_t>(fold.real_sum(1, 4)));
  EXPECT_EQ(fold.mean(1, 4, 9), fold.real_sum(1, 4) / 9);
}

TEST(GroupFold, BitsDoNotDependOnChunks) {
  for (int kind = 0; kind < 3; ++kind) {
    const Matrix matrix = random_matrix(7, kind);
    std::vector<std::vector<double>> results;
    for (const std::int64_t chunk_nnz : {1, 20, 100, 1000}) {
      MemoryBudget budget(1 << 20);
      GroupFold fold(n_groups, n_genes, everything, budget);
      add_in_chunks(fold, matrix, chunk_nnz, ValueType::f32);
      auto& result = results.emplace_back();
      for (std::int32_t group = 0; group < n_groups; ++group)
        for (std::uint32_t gene = 0; gene < n_genes; ++gene) {
          result.push_back(fold.real_sum(group, gene));
          result.push_back(fold.mean_var(group, gene, 20).var);
        }
      EXPECT_EQ(result, results.front()) << "kind " << kind << ", chunks of " << chunk_nnz;
    }
  }
}

TEST(GroupFold, AConstantGeneHasNoVariance) {
  const Matrix matrix = random_matrix(3, 3);
  MemoryBudget budget(1 << 20);
  for (const ValueType type : {ValueType::f32, ValueType::f64}) {
    GroupFold fold(n_groups, n_genes, everything, budget);
    add_in_chunks(fold, matrix, 40, type);
    std::int64_t cells = 0;
    for (const std::int32_t group : matrix.group_of) cells += group == 0;
    for (std::uint32_t gene = 0; gene < n_genes; ++gene) EXPECT_EQ(fold.mean_var(0, gene, cells).var, 0) << gene;
  }
}

TEST(GroupFold, InfinitiesAndNaNStayWhatTheyAre) {
  MemoryBudget budget(1 << 20);
  GroupFold fold(n_groups, n_genes, everything, budget);
  const Matrix matrix{{{{0, infinity}, {1, -infinity}, {2, nan}, {3, infinity}, {4, 1e308}, {5, 2}},
                       {{0, 5}, {1, 5}, {2, 5}, {3, -infinity}, {4, 1e308}, {5, 3}}},
                      {0, 0}};
  add_in_chunks(fold, matrix, 100, ValueType::f64);
  EXPECT_EQ(fold.real_sum(0, 0), infinity);
  EXPECT_EQ(fold.real_sum(0, 1), -infinity);
  for (const int gene : {2, 3}) EXPECT_TRUE(std::isnan(fold.real_sum(0, gene)));
  EXPECT_EQ(fold.real_sum(0, 4), infinity);
  EXPECT_EQ(fold.real_sum(0, 5), 5);
  EXPECT_TRUE(std::isnan(fold.mean_var(0, 0, 2).var));
  EXPECT_EQ(fold.mean_var(0, 5, 2).var, 0.5);
  EXPECT_EQ(fold.nonzero(0, 2), 2) << "NaN is not 0";
  EXPECT_EQ(fold.positive(0, 2), 1) << "nor above it";
}

TEST(GroupFold, FewCells) {
  MemoryBudget budget(1 << 20);
  GroupFold fold(1, n_genes, everything, budget);
  add_in_chunks(fold, {{{{0, 2.5}}}, {0}}, 100, ValueType::f32);
  EXPECT_EQ(fold.mean_var(0, 0, 1).mean, 2.5);
  EXPECT_TRUE(std::isnan(fold.mean_var(0, 0, 1).var));
}

TEST(GroupFold, TooManyGroupsAreRefusedBeforeAnythingIsMade) {
  MemoryBudget budget(1 << 20);
  EXPECT_THROW(GroupFold(1 << 30, 1 << 30, everything, budget), Error);
  EXPECT_GT(GroupFold::bytes(std::int64_t{1} << 40, std::int64_t{1} << 40, everything), std::size_t{1} << 60);
}

double ulps(double got, long double wanted) {
  const auto rounded = static_cast<double>(wanted);
  const double step = std::abs(std::nextafter(rounded, infinity) - rounded);
  return static_cast<double>(std::abs(static_cast<long double>(got) - wanted)) / step;
}

TEST(Expm1Log, AreWithinTwoUnitsInTheLastPlace) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 200000; ++i) {
    const double size = std::pow(10, std::uniform_real_distribution<>(-12, 2.8)(random)), x = random() % 2 ? size : -size;
    ASSERT_LE(ulps(expm1_exact_order(x), std::expm1(static_cast<long double>(x))), 2) << x;
    const double y = std::pow(10, std::uniform_real_distribution<>(-307, 307)(random));
    ASSERT_LE(ulps(log_exact_order(y), std::log(static_cast<long double>(y))), 2) << y;
    const double near = 1 + std::uniform_real_distribution<>(-0.5, 1)(random) * std::pow(10, -static_cast<double>(i % 12));
    ASSERT_LE(ulps(log_exact_order(near), std::log(static_cast<long double>(near))), 2) << near;
  }
}

TEST(Expm1Log, TheirEdges) {
  EXPECT_EQ(expm1_exact_order(0), 0);
  EXPECT_EQ(expm1_exact_order(infinity), infinity);
  EXPECT_EQ(expm1_exact_order(710), infinity);
  EXPECT_LT(expm1_exact_order(709.78), infinity);
  EXPECT_EQ(expm1_exact_order(-infinity), -1);
  EXPECT_EQ(expm1_exact_order(-50), -1);
  EXPECT_TRUE(std::isnan(expm1_exact_order(nan)));
  EXPECT_EQ(log_exact_order(1), 0);
  EXPECT_EQ(log_exact_order(0), -infinity);
  EXPECT_TRUE(std::isnan(log_exact_order(-1)) && std::isnan(log_exact_order(nan)));
  EXPECT_EQ(log_exact_order(infinity), infinity);
  EXPECT_LE(ulps(log_exact_order(5e-324), std::log(static_cast<long double>(5e-324))), 2);
}

}  // namespace
}  // namespace quern
