// Components and scores against Jacobi's method; rows that are kept are the rows that were.
#include "host/cpu/components.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "host/ops/components.hpp"
#include "host/pipeline/kept_rows.hpp"

namespace quern {
namespace {

using Matrix = std::vector<std::vector<double>>;

// Eigenvalues and vectors (rows of the second) of a symmetric matrix, the largest first.
std::pair<std::vector<double>, Matrix> jacobi(Matrix a) {
  const std::size_t n = a.size();
  Matrix vectors(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) vectors[i][i] = 1;
  for (int sweep = 0; sweep < 60; ++sweep)
    for (std::size_t p = 0; p < n; ++p)
      for (std::size_t q = p + 1; q < n; ++q) {
        if (std::abs(a[p][q]) < 1e-300) continue;
        const double theta = (a[q][q] - a[p][p]) / (2 * a[p][q]);
        const double t = (theta < 0 ? -1 : 1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
        const double c = 1 / std::sqrt(t * t + 1), s = t * c;
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a[k][p], y = a[k][q];
          a[k][p] = c * x - s * y;
          a[k][q] = s * x + c * y;
        }
        for (std::size_t k = 0; k < n; ++k) {
          const double x = a[p][k], y = a[q][k];
          a[p][k] = c * x - s * y;
          a[q][k] = s * x + c * y;
          const double v = vectors[p][k], w = vectors[q][k];
          vectors[p][k] = c * v - s * w;
          vectors[q][k] = s * v + c * w;
        }
      }
  std::vector<std::size_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) { return a[i][i] > a[k][k]; });
  std::pair<std::vector<double>, Matrix> sorted;
  for (const std::size_t i : order) {
    sorted.first.push_back(a[i][i]);
    sorted.second.push_back(vectors[i]);
  }
  return sorted;
}

struct Sample {
  std::size_t n_rows, n_genes;
  Matrix x;
  std::vector<double> products, sums;
  std::vector<std::int32_t> offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<float> values;

  Sample(unsigned seed, std::size_t rows, std::size_t genes)
      : n_rows(rows), n_genes(genes), x(rows, std::vector<double>(genes)), products(genes * genes), sums(genes) {
    std::mt19937_64 random(seed);
    for (auto& row : x) {
      const double size = std::normal_distribution<>(1, 1)(random);
      for (std::size_t gene = 0; gene < genes; ++gene) {
        if (random() % 3 == 0) continue;
        row[gene] = static_cast<double>(static_cast<float>(size * static_cast<double>(gene % 5) + std::normal_distribution<>()(random)));
        columns.push_back(static_cast<std::uint32_t>(gene));
        values.push_back(static_cast<float>(row[gene]));
      }
      offsets.push_back(static_cast<std::int32_t>(columns.size()));
      for (std::size_t i = 0; i < genes; ++i) {
        sums[i] += row[i];
        for (std::size_t k = 0; k < genes; ++k) products[i * genes + k] += row[i] * row[k];
      }
    }
  }
  CsrChunkView<MemorySpace::host> view() const {
    return {0,
            static_cast<std::int32_t>(n_rows),
            static_cast<std::int64_t>(n_genes),
            offsets.data(),
            columns.data(),
            values.data(),
            ValueType::f32,
            {}};
  }
  Matrix covariances() const {
    Matrix found(n_genes, std::vector<double>(n_genes));
    std::vector<long double> means(n_genes);
    for (const auto& row : x)
      for (std::size_t i = 0; i < n_genes; ++i) means[i] += row[i] / static_cast<long double>(n_rows);
    for (const auto& row : x)
      for (std::size_t i = 0; i < n_genes; ++i)
        for (std::size_t k = 0; k < n_genes; ++k)
          found[i][k] += static_cast<double>((row[i] - means[i]) * (row[k] - means[k])) / static_cast<double>(n_rows - 1);
    return found;
  }
};

TEST(Components, AreThoseOfTheCovariances) {
  Sample sample(1, 200, 20);
  const auto [values, vectors] = jacobi(sample.covariances());
  const Components found = find_components(sample.products, sample.sums, 200, 6);
  double total = 0;
  for (const double value : values) total += value;
  EXPECT_NEAR(found.total_variance, total, 1e-10 * total);
  for (std::size_t c = 0; c < 6; ++c) {
    EXPECT_NEAR(found.variances[c], values[c], 1e-10 * values[0]);
    const std::span<const double> loadings = std::span(found.loadings).subspan(c * 20, 20);
    EXPECT_FALSE(is_turned(loadings));
    double cosine = 0;
    for (std::size_t gene = 0; gene < 20; ++gene) cosine += loadings[gene] * vectors[c][gene];
    EXPECT_NEAR(std::abs(cosine), 1, 1e-9);
  }
}

TEST(Components, TheFirstLargestLoadingIsPositive) {
  EXPECT_TRUE(is_turned(std::vector<double>{0.1, -0.5, 0.5}));
  EXPECT_FALSE(is_turned(std::vector<double>{0.1, 0.5, -0.5}));
  EXPECT_FALSE(is_turned(std::vector<double>{0, 0}));
}

TEST(Components, ScoresAreCentredRowsTimesLoadings) {
  Sample sample(2, 150, 17);
  const Components components = find_components(sample.products, sample.sums, 150, 5);
  MemoryBudget budget(std::size_t{1} << 26);
  Projection projection(components, 150, 2, budget);
  const auto scores = projection.scores(sample.view());
  ASSERT_EQ(scores.size(), 150U * 5);
  for (std::size_t row = 0; row < 150; ++row)
    for (std::size_t c = 0; c < 5; ++c) {
      long double expected = 0;
      for (std::size_t gene = 0; gene < 17; ++gene)
        expected += (static_cast<long double>(sample.x[row][gene]) - static_cast<long double>(components.means[gene])) *
                    components.loadings[c * 17 + gene];
      ASSERT_NEAR(scores[row * 5 + c], static_cast<double>(expected), 2e-6);
    }
}

class Collect final : public BlockUser {
 public:
  void take(const CsrChunkView<MemorySpace::host>& block) override {
    EXPECT_EQ(block.first_row, first_row);
    first_row += block.n_rows;
    for (std::int32_t i = 0; i < block.nnz(); ++i) {
      columns.push_back(block.columns[i]);
      values.push_back(block.value_type == ValueType::f32 ? static_cast<double>(block.values_as<float>()[i])
                                                          : block.values_as<double>()[i]);
    }
    for (std::int32_t row = 0; row < block.n_rows; ++row) sizes.push_back(block.offsets[row + 1] - block.offsets[row]);
  }
  bool operator==(const Collect& other) const { return columns == other.columns && values == other.values && sizes == other.sizes; }
  std::int64_t first_row = 0;
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  std::vector<std::int32_t> sizes;
};

TEST(KeptRows, AreHandedOnAgainAsTheyWere) {
  for (const std::int64_t n_genes : {17, 70000}) {
    const Sample sample(3, 40, 17);
    CsrChunkView<MemorySpace::host> second = sample.view();
    second.first_row = 40;
    MemoryBudget budget(std::size_t{1} << 24);
    KeptRows kept(budget, std::size_t{1} << 24);
    Collect first, again;
    KeepBlocks both(first, kept);
    for (CsrChunkView<MemorySpace::host> block : {sample.view(), second}) {
      block.n_cols = n_genes;
      both.take(block);
    }
    EXPECT_TRUE(kept.holds(80));
    kept.replay(again, 2);
    EXPECT_TRUE(first == again) << n_genes;
  }
}

TEST(KeptRows, AreGivenUpWhereTheyDoNotFit) {
  const Sample sample(4, 400, 17);
  CsrChunkView<MemorySpace::host> second = sample.view();
  second.first_row = 400;
  for (const auto& [limit, most] : {std::pair{std::size_t{1} << 24, std::size_t{40000}}, {std::size_t{40000}, std::size_t{1} << 24}}) {
    MemoryBudget budget(limit);
    KeptRows kept(budget, most);
    kept.keep(sample.view());
    EXPECT_TRUE(kept.holds(400));
    EXPECT_GT(kept.bytes(), 20000U);
    kept.keep(second);
    EXPECT_FALSE(kept.holds(800));
    EXPECT_EQ(budget.available(), limit);
    kept.restart();
    EXPECT_TRUE(kept.holds(0));
  }
}

}  // namespace
}  // namespace quern
