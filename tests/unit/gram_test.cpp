// Products of genes with genes against plain sums in more digits; the same bits for any threads and chunks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <tbb/task_arena.h>

#include <cmath>
#include <optional>
#include <random>

#include "host/core/error.hpp"
#include "host/cpu/gram_sum.hpp"
#include "host/cpu/row_slices.hpp"
#include "host/pipeline/selected_rows.hpp"
#include "tests/support/memory_source.hpp"

namespace quern {
namespace {

using test::MemorySource;
using test::Rows;

constexpr std::uint32_t n_genes = 400;

// Gene g is in about one of 1 + g / 40 cells: some are in all, some in few.
Rows random_rows(unsigned seed, std::size_t n_rows, bool whole) {
  std::mt19937_64 random(seed);
  Rows rows(n_rows);
  for (auto& row : rows)
    for (std::uint32_t gene = 0; gene < n_genes; ++gene) {
      if (random() % (1 + gene / 40) != 0) continue;
      const auto count = static_cast<double>(1 + random() % (random() % 50 == 0 ? 5000 : 3));
      row.push_back({gene, whole ? count : static_cast<double>(static_cast<float>(std::log1p(count) - 0.5))});
    }
  if (n_rows > 7) rows[7].clear();
  return rows;
}

std::vector<std::uint8_t> every_third() {
  std::vector<std::uint8_t> flags(n_genes);
  for (std::size_t gene = 0; gene < flags.size(); ++gene) flags[gene] = gene % 3 != 1;
  return flags;
}

struct Products {
  std::vector<double> squares, sums;
  bool operator==(const Products&) const = default;
};

class Add final : public BlockUser {
 public:
  Add(std::int64_t n, int threads, MemoryBudget& budget) : sum(n, threads, budget) {}
  void take(const CsrChunkView<MemorySpace::host>& block) override {
    EXPECT_EQ(block.first_row, next_row_);
    next_row_ += block.n_rows;
    sum.add(block);
  }
  GramSum sum;

 private:
  std::int64_t next_row_ = 0;
};

Products multiply(const Rows& rows, int threads, std::int64_t chunk_nnz, std::int64_t block_rows, ValueType type = ValueType::f32) {
  MemorySource source(rows, n_genes, type);
  const std::vector<std::uint8_t> flags = every_third();
  const GeneSelection genes(flags);
  MemoryBudget budget(std::size_t{1} << 30);
  Add user(genes.n_selected(), threads, budget);
  SelectRows select(genes, {source.shape().n_rows, block_rows, source.shape().nnz}, type, user, budget);
  PipelineOptions options;
  options.threads = threads;
  options.chunk_nnz = chunk_nnz;
  options.poison = true;
  walk_chunks(source, type, select, pageable_memory(), budget, options);
  const auto squares = user.sum.finish();
  const auto sums = user.sum.sums();
  return {{squares.begin(), squares.end()}, {sums.begin(), sums.end()}};
}

Products naive(const Rows& rows) {
  const std::vector<std::uint8_t> flags = every_third();
  std::vector<std::size_t> place(n_genes);
  std::size_t n = 0;
  for (std::size_t gene = 0; gene < n_genes; ++gene) place[gene] = flags[gene] ? n++ : n_genes;
  std::vector<long double> squares(n * n), sums(n);
  for (const auto& row : rows)
    for (const auto& a : row) {
      if (place[a.column] == n_genes) continue;
      sums[place[a.column]] += a.value;
      for (const auto& b : row)
        if (place[b.column] != n_genes) squares[place[a.column] * n + place[b.column]] += static_cast<long double>(a.value) * b.value;
    }
  return {{squares.begin(), squares.end()}, {sums.begin(), sums.end()}};
}

TEST(Gram, WholeNumbersAreExact) {
  for (const std::size_t n_rows : {1U, 9U, 700U, 3000U}) {
    const Rows rows = random_rows(1, n_rows, true);
    EXPECT_EQ(multiply(rows, 2, 5000, 1024), naive(rows)) << n_rows;
    EXPECT_EQ(multiply(rows, 1, 1, 256), naive(rows)) << n_rows;
  }
}

TEST(Gram, RealNumbersAreWithinRounding) {
  const Rows rows = random_rows(2, 3000, false);
  const Products expected = naive(rows), found = multiply(rows, 2, 5000, 1024);
  for (std::size_t i = 0; i < expected.squares.size(); ++i) ASSERT_NEAR(found.squares[i], expected.squares[i], 1e-13 * 3000) << i;
  for (std::size_t i = 0; i < expected.sums.size(); ++i) ASSERT_NEAR(found.sums[i], expected.sums[i], 1e-13 * 3000) << i;
}

TEST(Gram, SameBitsForAnyThreadsAndChunks) {
  const Rows rows = random_rows(3, 2500, false);
  const Products once = multiply(rows, 1, 4096, 1024);
  for (const int threads : {1, 2, 3, 8})
    for (const std::int64_t chunk : {1, 777, 1 << 20}) EXPECT_EQ(multiply(rows, threads, chunk, 1024), once) << threads << " " << chunk;
  EXPECT_EQ(multiply(rows, 2, 4096, 1024, ValueType::f64), once) << "held in 64 bits";
}

TEST(Gram, IsSymmetric) {
  const Products found = multiply(random_rows(4, 2500, false), 2, 4096, 512);
  const std::size_t n = found.sums.size();
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < i; ++k) ASSERT_EQ(found.squares[i * n + k], found.squares[k * n + i]);
}

TEST(Gram, RefusesWhatIsNotFiniteInAChosenGene) {
  Rows rows = random_rows(5, 50, false);
  rows[20] = {{1, NAN}, {5, INFINITY}};
  try {
    multiply(rows, 2, 4096, 1024);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "not-finite");
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_EQ(error.object(), "cell 21");
    EXPECT_THAT(error.what(), testing::StartsWith("its value of gene 6 is infinite"));
  }
  rows[20] = {{1, NAN}, {4, INFINITY}};  // of genes that are not chosen
  EXPECT_NO_THROW(multiply(rows, 2, 4096, 1024));
}

TEST(RowSlices, EveryWidthGivesTheSameBits) {
  std::mt19937_64 random(6);
  std::vector<double> rows(300 * 128), values(170);
  for (double& value : rows) value = std::normal_distribution<>()(random);
  for (double& value : values) value = std::normal_distribution<>()(random);
  std::vector<std::uint32_t> starts;
  for (std::size_t i = 0; i < values.size(); ++i) starts.push_back(static_cast<std::uint32_t>(random() % 300 * 128));
  for (const std::size_t width : {8U, 40U, 64U, 72U, 128U}) {
    std::vector<double> expected(width);
    for (std::size_t c = 0; c < width; ++c)
      for (std::size_t i = 0; i < values.size(); ++i) expected[c] += values[i] * rows[starts[i] + c];
    for (const RowSliceTarget& target : row_slice_targets()) {
      std::vector<double> found(width);
      target.sum(rows.data(), starts.data(), values.data(), values.size(), width, found.data());
      EXPECT_EQ(found, expected) << target.name << " " << width;
    }
  }
}

}  // namespace
}  // namespace quern
