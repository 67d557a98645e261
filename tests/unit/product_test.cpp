#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <tuple>

#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/cpu/sparse_rows.hpp"

namespace quern {
namespace {

// A random sparse matrix in doubles, whatever it is read as.
struct Sparse {
  std::int64_t n_cols = 0;
  std::vector<std::int32_t> offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<double> values;
  std::int64_t n_rows() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

double some_value(std::mt19937_64& random, bool narrow) {
  const double value = std::ldexp(static_cast<double>(random() % 2'000'001) - 1e6, static_cast<int>(random() % 40) - 30) / 3;
  return narrow ? static_cast<double>(static_cast<float>(value)) : value;
}

Sparse random_sparse(std::int64_t n_rows, std::int64_t n_cols, double density, bool narrow, std::uint64_t seed) {
  Sparse sparse;
  sparse.n_cols = n_cols;
  std::mt19937_64 random(seed);
  for (std::int64_t r = 0; r < n_rows; ++r) {
    for (std::int64_t c = 0; c < n_cols && r % 7 != 3; ++c) {
      if (std::generate_canonical<double, 53>(random) > density) continue;
      sparse.columns.push_back(static_cast<std::uint32_t>(c));
      sparse.values.push_back(some_value(random, narrow));
    }
    sparse.offsets.push_back(static_cast<std::int32_t>(sparse.columns.size()));
  }
  return sparse;
}

// A dense matrix in float32 or float64, with the slack that products may read.
struct Dense {
  Dense(std::int64_t rows, std::int32_t cols, bool narrow_values, std::uint64_t seed) : narrow(narrow_values), n_rows(rows), n_cols(cols) {
    std::mt19937_64 random(seed);
    const auto n = static_cast<std::size_t>(rows * cols);
    doubles.resize(n + product_slack_bytes / sizeof(double), 1e300);
    for (std::size_t i = 0; i < n; ++i) doubles[i] = some_value(random, narrow);
    floats.assign(doubles.begin(), doubles.end());
    floats.resize(n + product_slack_bytes / sizeof(float));
  }
  double at(std::int64_t row, std::int64_t column) const { return doubles[static_cast<std::size_t>(row * n_cols + column)]; }
  DenseView view() const {
    return {narrow ? static_cast<const void*>(floats.data()) : doubles.data(), narrow ? ValueType::f32 : ValueType::f64, n_rows, n_cols};
  }
  bool narrow;
  std::int64_t n_rows;
  std::int32_t n_cols;
  std::vector<double> doubles;
  std::vector<float> floats;
};

// Rows first .. last of a sparse matrix as a chunk.
class Chunk {
 public:
  Chunk(const Sparse& sparse, std::int64_t first, std::int64_t last, bool narrow) : n_cols_(sparse.n_cols), first_(first), narrow_(narrow) {
    const auto begin = static_cast<std::size_t>(sparse.offsets[static_cast<std::size_t>(first)]);
    const auto end = static_cast<std::size_t>(sparse.offsets[static_cast<std::size_t>(last)]);
    for (std::int64_t r = first; r <= last; ++r)
      offsets_.push_back(sparse.offsets[static_cast<std::size_t>(r)] - static_cast<std::int32_t>(begin));
    columns_.assign(sparse.columns.begin() + static_cast<std::ptrdiff_t>(begin), sparse.columns.begin() + static_cast<std::ptrdiff_t>(end));
    doubles_.assign(sparse.values.begin() + static_cast<std::ptrdiff_t>(begin), sparse.values.begin() + static_cast<std::ptrdiff_t>(end));
    floats_.assign(doubles_.begin(), doubles_.end());
  }
  CsrChunkView<MemorySpace::host> view() const {
    CsrChunkView<MemorySpace::host> view;
    view.first_row = first_;
    view.n_rows = static_cast<std::int32_t>(offsets_.size()) - 1;
    view.n_cols = n_cols_;
    view.offsets = offsets_.data();
    view.columns = columns_.data();
    view.values = narrow_ ? static_cast<const void*>(floats_.data()) : doubles_.data();
    view.value_type = narrow_ ? ValueType::f32 : ValueType::f64;
    return view;
  }

 private:
  std::int64_t n_cols_, first_;
  bool narrow_;
  std::vector<std::int32_t> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<double> doubles_;
  std::vector<float> floats_;
};

// The oracle: one sum after the other, in the order that is promised. Shares nothing with host/ops but the views above.
std::vector<double> naive(const Sparse& x, const Dense& b, bool transposed) {
  const std::int64_t n = transposed ? x.n_cols : x.n_rows();
  std::vector<double> result(static_cast<std::size_t>(n * b.n_cols), 0.0);
  for (std::int64_t r = 0; r < x.n_rows(); ++r)
    for (auto i = static_cast<std::size_t>(x.offsets[static_cast<std::size_t>(r)]);
         i < static_cast<std::size_t>(x.offsets[static_cast<std::size_t>(r) + 1]); ++i)
      for (std::int64_t j = 0; j < b.n_cols; ++j) {
        const std::int64_t gene = x.columns[i], to = transposed ? gene : r, from = transposed ? r : gene;
        volatile double product = x.values[i] * b.at(from, j);  // rounded before it is added
        result[static_cast<std::size_t>(to * b.n_cols + j)] += product;
      }
  return result;
}

bool same_bits(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

constexpr std::int64_t n_rows = 61, n_cols = 83;

using Case = std::tuple<std::int32_t, bool, bool>;  // columns of B, values in float32, B in float32
class ProductTest : public testing::TestWithParam<Case> {};

TEST_P(ProductTest, EveryTargetAddsInTheOrderOfTheOracle) {
  const auto [width, narrow, narrow_b] = GetParam();
  const Sparse x = random_sparse(n_rows, n_cols, 0.2, narrow, 1);
  const Dense b(n_cols, width, narrow_b, 2), rows_of_b(n_rows, width, narrow_b, 3);
  const Chunk chunk(x, 0, n_rows, narrow);
  const std::vector<double> rows = naive(x, b, false), genes = naive(x, rows_of_b, true);
  for (const SparseRowsTarget& target : sparse_rows_targets()) {
    std::vector<double> found(rows.size() + 1, 7.0);
    target.multiply(chunk.view(), b.view(), found.data());
    EXPECT_EQ(found.back(), 7.0) << target.name;
    found.pop_back();
    EXPECT_TRUE(same_bits(found, rows)) << target.name;
    const std::size_t columns = static_cast<std::size_t>(width), stride = (columns + 7) / 8 * 8;
    std::vector<double> sums(static_cast<std::size_t>(n_cols) * stride, 0.0);
    for (const GeneRange range : {GeneRange{0, 40}, GeneRange{40, n_cols}})
      target.add(chunk.view(), rows_of_b.view(), {0, columns}, range, {sums.data(), stride});
    std::vector<double> packed;
    for (std::size_t g = 0; g < static_cast<std::size_t>(n_cols); ++g)
      packed.insert(packed.end(), sums.begin() + static_cast<std::ptrdiff_t>(g * stride),
                    sums.begin() + static_cast<std::ptrdiff_t>(g * stride + columns));
    EXPECT_TRUE(same_bits(packed, genes)) << target.name;
  }
}

TEST_P(ProductTest, CutsAndThreadsChangeNoBit) {
  const auto [width, narrow, narrow_b] = GetParam();
  const Sparse x = random_sparse(n_rows, n_cols, 0.2, narrow, 4);
  const Dense b(n_cols, width, narrow_b, 5), rows_of_b(n_rows, width, narrow_b, 6);
  MemoryBudget budget(std::size_t{1} << 28);
  for (const int threads : {1, 3, 40})
    for (const std::int64_t step : {1, 7, 61}) {
      const auto cpu = make_cpu_backend(threads);
      const MatrixShape shape{n_rows, n_cols, static_cast<std::int64_t>(x.values.size())};
      const auto straight = cpu->open_product({b.view(), false}, shape, budget),
                 turned = cpu->open_product({rows_of_b.view(), true}, shape, budget);
      std::vector<double> rows(static_cast<std::size_t>(n_rows * width));
      for (std::int64_t first = 0; first < n_rows; first += step) {
        const Chunk chunk(x, first, std::min(n_rows, first + step), narrow);
        straight->multiply(chunk.view(), rows.data() + first * width);
        turned->fold(chunk.view());
      }
      EXPECT_TRUE(same_bits(rows, naive(x, b, false)));
      EXPECT_TRUE(same_bits(turned->finish(), naive(x, rows_of_b, true)));
    }
  EXPECT_EQ(budget.available(), budget.limit());
}

INSTANTIATE_TEST_SUITE_P(All, ProductTest,
                         testing::Combine(testing::Values(1, 2, 7, 8, 9, 31, 32, 33, 50, 64, 65, 100, 256), testing::Bool(),
                                          testing::Bool()));

TEST(Product, NothingStoredIsZero) {
  const Sparse x = random_sparse(5, 4, -1, true, 7);
  const Dense b(4, 3, false, 8);
  const auto cpu = make_cpu_backend(2);
  MemoryBudget budget(1 << 20);
  std::vector<double> rows(15, 3.0);
  cpu->open_product({b.view(), false}, {5, 4, 0}, budget)->multiply(Chunk(x, 0, 5, true).view(), rows.data());
  EXPECT_TRUE(same_bits(rows, std::vector<double>(15, 0.0)));
  const auto none = cpu->open_product({b.view(), true}, {4, 0, 0}, budget);  // no genes
  EXPECT_TRUE(none->finish().empty());
}

TEST(Product, NanAndInfinityReachWhatMeetsThemAndHaveOneForm) {
  Sparse x;
  x.n_cols = 2;
  x.columns = {0, 1, 1};
  x.values = {0, 1, -1};
  x.offsets = {0, 2, 3};
  Dense b(2, 2, false, 9);
  b.doubles[0] = -std::numeric_limits<double>::quiet_NaN();
  b.doubles[1] = std::numeric_limits<double>::infinity();
  b.doubles[2] = 5;
  b.doubles[3] = 6;
  for (const SparseRowsTarget& target : sparse_rows_targets()) {
    std::vector<double> rows(4);
    target.multiply(Chunk(x, 0, 2, false).view(), b.view(), rows.data());
    const double nan = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(same_bits(rows, std::vector<double>{nan, nan, -5, -6})) << target.name;  // an explicit zero times infinity is NaN
  }
  const auto cpu = make_cpu_backend(1);
  MemoryBudget budget(1 << 20);
  const auto turned = cpu->open_product({b.view(), true}, {2, 2, 3}, budget);
  turned->fold(Chunk(x, 0, 2, false).view());
  EXPECT_TRUE(same_bits(turned->finish().subspan(0, 2), std::vector<double>(2, std::numeric_limits<double>::quiet_NaN())));
}

TEST(Product, ATransposedOneClaimsItsSums) {
  const Dense b(10, 3, false, 10);
  MemoryBudget budget(std::size_t{1000} * (8 + 3) * 8 - 1);
  EXPECT_THROW(make_cpu_backend(1)->open_product({b.view(), true}, {10, 1000, 0}, budget), Error);
  EXPECT_NO_THROW(make_cpu_backend(1)->open_product({b.view(), false}, {10, 1000, 0}, budget));
}

}  // namespace
}  // namespace quern
