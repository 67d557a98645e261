// Highly variable genes: the rules at their edges. Whole runs are compared with scanpy in tests/interop.
#include "host/ops/dispersions.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "host/core/error.hpp"

namespace quern {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
using Numbers = std::vector<double>;

std::string code_of(const Numbers& mean, const Numbers& var, const HvgRules& rules) {
  try {
    find_hvg(mean, var, rules);
  } catch (const Error& error) {
    return error.code();
  }
  return "nothing";
}

TEST(Dispersions, SeuratTakesLogarithms) {
  const HvgGenes genes = find_hvg(Numbers{1, 3, 0}, Numbers{2, 3, 0}, {});
  EXPECT_DOUBLE_EQ(genes.means[0], std::log1p(1.0));
  EXPECT_DOUBLE_EQ(genes.means[2], std::log1p(1e-12));
  EXPECT_DOUBLE_EQ(genes.dispersions[0], std::log(2.0));
  EXPECT_EQ(genes.dispersions[1], 0);
  EXPECT_TRUE(std::isnan(genes.dispersions[2])) << "no variance, no dispersion";
}

TEST(Dispersions, AGeneAloneInItsBinIsOne) {
  const HvgGenes genes = find_hvg(Numbers{1, 30}, Numbers{2, 90}, {});
  EXPECT_EQ(genes.dispersions_norm, (Numbers{1, 1}));
  EXPECT_EQ(genes.highly_variable, (std::vector<std::uint8_t>{1, 0})) << "log1p(30) is above the bound of the mean";
}

TEST(Dispersions, ABinIsNormalisedByMeanAndDeviation) {
  HvgRules rules;
  rules.n_bins = 1;
  const HvgGenes genes = find_hvg(Numbers{1, 2, 3}, Numbers{std::exp(1.0), 2 * std::exp(2.0), 3 * std::exp(3.0)}, rules);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(genes.dispersions_norm[i], static_cast<double>(i) - 1, 1e-14);
}

TEST(Dispersions, MeansThatAreAllTheSameShareABin) {
  const HvgGenes genes = find_hvg(Numbers{1, 1, 1}, Numbers{1, 2, 4}, {});
  EXPECT_NEAR(genes.dispersions_norm[0], -1, 1e-14);
  EXPECT_NEAR(genes.dispersions_norm[2], 1, 1e-14);
  EXPECT_EQ(find_hvg(Numbers{0, 0}, Numbers{1, 1}, {}).means.size(), 2U);
}

TEST(Dispersions, CellRangerUsesMedians) {
  Numbers mean(40), var(40);
  std::iota(mean.begin(), mean.end(), 1.0);
  for (std::size_t i = 0; i < 40; ++i) var[i] = mean[i] * (1 + static_cast<double>(i % 4));
  const HvgGenes genes = find_hvg(mean, var, {HvgFlavor::cell_ranger});
  EXPECT_EQ(genes.means, mean);
  EXPECT_EQ(genes.dispersions[2], 3);
  // The lowest tenth: genes 1 to 4 (percentile 10 of 1 .. 40 is 4.9); dispersions 1, 2, 3, 4: median 2.5, deviations 0.5, 0.5, 1.5, 1.5.
  EXPECT_NEAR(genes.dispersions_norm[0], (1 - 2.5) / (1 / 0.6744897501960817), 1e-14);
}

TEST(Dispersions, NTopTakesTiesAlong) {
  HvgRules rules;
  rules.n_bins = 1;
  rules.n_top = 2;
  const HvgGenes genes = find_hvg(Numbers{1, 1, 1, 1, 0}, Numbers{5, 3, 3, 1, 0}, rules);
  EXPECT_EQ(genes.highly_variable, (std::vector<std::uint8_t>{1, 1, 1, 0, 0}));
  rules.n_top = 100;
  EXPECT_EQ(find_hvg(Numbers{1, 1, 0}, Numbers{5, 3, 0}, rules).highly_variable, (std::vector<std::uint8_t>{1, 1, 0})) << "none without";
  EXPECT_EQ(find_hvg(Numbers{0, 0}, Numbers{0, 0}, rules).highly_variable, (std::vector<std::uint8_t>{0, 0}));
}

TEST(Dispersions, BoundsAreNotIncluded) {
  HvgRules rules;
  rules.min_disp = 1;
  EXPECT_EQ(find_hvg(Numbers{1, 30}, Numbers{2, 90}, rules).highly_variable[0], 0) << "1 is not above 1";
  rules.min_disp = 0.99;
  EXPECT_EQ(find_hvg(Numbers{1, 30}, Numbers{2, 90}, rules).highly_variable[0], 1);
  rules.max_disp = 1;
  EXPECT_EQ(find_hvg(Numbers{1, 30}, Numbers{2, 90}, rules).highly_variable[0], 0);
}

TEST(Dispersions, WhatHasNoBinsIsRefused) {
  EXPECT_EQ(code_of({1, nan}, {1, 1}, {}), "nan-values");
  EXPECT_EQ(code_of({1, -3}, {1, 1}, {}), "nan-values") << "log1p of -3";
  EXPECT_EQ(code_of({1, infinity}, {1, 1}, {}), "infinite-means");
  EXPECT_EQ(code_of({1, 1, 1, 2}, {1, 1, 1, 1}, {HvgFlavor::cell_ranger}), "equal-bins");
  EXPECT_EQ(code_of({}, {}, {}), "nothing");
}

TEST(Dispersions, BatchesAreMergedByTheirNumberThenByDispersion) {
  HvgGenes a{{1, 2, 0, 4}, {1, 1, 0, 1}, {3, 1, 0, nan}, {1, 0, 0, 0}, {}};
  HvgGenes b{{3, 2, 2, 4}, {3, nan, 4, 1}, {1, 2, 5, 7}, {1, 1, 0, 0}, {}};
  const std::vector<HvgGenes> batches{a, b};
  const std::vector<std::int32_t> order{0, 1, 2, 3};
  HvgRules rules;
  rules.n_top = 3;
  const HvgGenes merged = merge_hvg(batches, rules, order);
  EXPECT_EQ(merged.means, (Numbers{2, 2, 1, 4}));
  EXPECT_EQ(merged.dispersions, (Numbers{2, 1, 2, 1})) << "NaN is left out";
  EXPECT_EQ(merged.dispersions_norm, (Numbers{2, 1.5, 2.5, 7}));
  EXPECT_EQ(merged.n_batches, (std::vector<std::int64_t>{2, 1, 0, 0}));
  EXPECT_EQ(merged.highly_variable, (std::vector<std::uint8_t>{1, 1, 0, 1}));
  rules.n_top = 0;
  rules.min_disp = 2;
  EXPECT_EQ(merge_hvg(batches, rules, order).highly_variable, (std::vector<std::uint8_t>{0, 0, 1, 0}))
      << "means below 3, dispersions above 2";
}

TEST(Dispersions, TiesOfBatchesGoByTheirOrder) {
  const HvgGenes batch{{1, 1, 1}, {1, 1, 1}, {2, 2, 2}, {1, 1, 1}, {}};
  HvgRules rules;
  rules.n_top = 2;
  const std::vector<HvgGenes> batches{batch};
  EXPECT_EQ(merge_hvg(batches, rules, std::vector<std::int32_t>{2, 0, 1}).highly_variable, (std::vector<std::uint8_t>{0, 1, 1}));
}

TEST(Dispersions, GenesOutsideOfABatchAreZeroThere) {
  const HvgGenes genes = find_hvg_of_batch(Numbers{1, 0, 30}, Numbers{2, 0, 90}, std::vector<std::int64_t>{4, 0, 1}, {});
  EXPECT_EQ(genes.dispersions_norm, (Numbers{1, 0, 1}));
  EXPECT_EQ(genes.means[1], 0);
  EXPECT_EQ(genes.highly_variable[1], 0);
}

}  // namespace
}  // namespace quern
