// The kernels for whole numbers against the CPU backend: same bits, in every order of lanes, for every code of a chunk.
#include <gtest/gtest.h>

#include "tests/emulation/compare.hpp"

namespace quern::emulation {
namespace {

KernelCase counts(std::uint64_t seed, std::size_t n_rows, std::uint32_t n_cols, double density, double mean) {
  KernelCase input;
  input.n_cols = n_cols;
  input.rows = random_counts(seed, n_rows, n_cols, density, mean);
  for (const std::uint32_t n : {1U, 2U, 50U, n_cols}) input.n_largest.push_back(static_cast<std::int32_t>(std::min(n, n_cols)));
  input.n_sets = 3;
  input.gene_sets = random_sets(seed, n_cols, 3);
  return input;
}

TEST(WholeKernels, Counts) { expect_same(counts(1, 40, 700, 0.3, 2)); }
TEST(WholeKernels, ShortRows) { expect_same(counts(2, 200, 300, 0.02, 3)); }
TEST(WholeKernels, LargeValues) { expect_same(counts(3, 20, 500, 0.5, 3000)); }
TEST(WholeKernels, OneValue) { expect_same(counts(4, 1, 1, 1, 2)); }
TEST(WholeKernels, GenesBeyondSharedMemory) { expect_same(counts(5, 30, 2000, 0.1, 2), {3, 2048}); }

TEST(WholeKernels, EmptyRowsAndNoRows) {
  KernelCase input = counts(6, 30, 100, 0.1, 2);
  for (std::size_t r = 0; r < input.rows.size(); r += 2) input.rows[r].clear();
  expect_same(input);
  input.rows.assign(5, {});
  expect_same(input);
  input.rows.clear();
  expect_same(input);
}

TEST(WholeKernels, ZerosAndNegativeValues) {
  KernelCase input = counts(7, 30, 200, 0.5, 2);
  for (auto& row : input.rows)
    for (std::size_t i = 0; i < row.size(); ++i) row[i].value = static_cast<double>(static_cast<int>(i % 7) - 2) * (i % 5 == 0 ? 1000 : 1);
  expect_same(input);
  for (auto& row : input.rows)
    for (auto& entry : row) entry.value = -entry.value * 1e5;
  input.value_type = ValueType::f64;
  expect_same(input);
}

TEST(WholeKernels, ExtremeWholeNumbers) {
  KernelCase input = counts(8, 10, 100, 0.9, 2);
  input.value_type = ValueType::f64;
  for (auto& row : input.rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i].value = i % 3 == 0 ? 2147483647.0 : i % 3 == 1 ? -2147483647.0 : 254 + static_cast<double>(i % 4);
  expect_same(input);
}

TEST(WholeKernels, OneHugeRow) {
  KernelCase input = counts(9, 3, 70000, 0.001, 2);
  input.rows[1] = random_counts(10, 1, 70000, 0.9, 40)[0];
  expect_same(input);
}

TEST(WholeKernels, ThirtyTwoSets) {
  KernelCase input = counts(11, 12, 400, 0.4, 30);
  input.n_sets = 32;
  input.gene_sets = random_sets(3, 400, 32);
  expect_same(input);
  input.n_sets = 0;
  input.gene_sets.clear();
  input.n_largest.clear();
  expect_same(input);
}

TEST(WholeKernels, Moments) {
  KernelCase input = counts(13, 30, 300, 0.3, 4);
  input.moments = true;
  expect_same(input);
  input = counts(14, 10, 200, 0.5, 2e5);
  input.moments = true;
  for (auto& row : input.rows)
    for (std::size_t i = 0; i < row.size(); ++i) row[i].value *= i % 4 == 1 ? -1 : i % 4 == 2 ? 0 : 1;
  input.value_type = ValueType::f64;
  expect_same(input);  // cells with totals of any sign: logarithms that are NaN or infinite
}

TEST(WholeKernels, ManyTopSums) {
  KernelCase input = counts(12, 10, 300, 0.7, 100);
  input.n_largest = {1, 3, 10, 31, 32, 33, 100, 200, 299, 300};
  expect_same(input);
}

// More cells than the packed words of a block can count: flushed in between.
TEST(WholeKernels, MoreCellsThanAWordCounts) {
  KernelCase input;
  input.n_cols = 2;
  input.rows.assign(9000, {{0, 255}, {1, 1}});
  input.n_largest = {1};
  const KernelSetting setting{{}, {1, 48 * 1024}, {{LaneOrder::ascending, 1, false}, 64}, 0};
  EXPECT_EQ(kernel_results(input, setting).difference(cpu_results(input)), "");
}

}  // namespace
}  // namespace quern::emulation
