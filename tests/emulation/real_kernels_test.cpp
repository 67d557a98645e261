// The kernels for any numbers against the CPU backend: exact sums, so the same bits.
#include <limits>

#include "tests/emulation/compare.hpp"

namespace quern::emulation {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

KernelCase logs(std::uint64_t seed, std::size_t n_rows, std::uint32_t n_cols, double density) {
  KernelCase input;
  input.n_cols = n_cols;
  input.rows = random_logs(seed, n_rows, n_cols, density);
  for (const std::uint32_t n : {1U, 3U, 50U, 100U, n_cols}) input.n_largest.push_back(static_cast<std::int32_t>(std::min(n, n_cols)));
  input.n_sets = 2;
  input.gene_sets = random_sets(seed, n_cols, 2);
  input.moments = true;
  input.whole = false;
  return input;
}

// Every value through `change(value, number of the value)`, rounded to float if that is the case's type.
template <class Change>
KernelCase changed(KernelCase input, const Change& change) {
  std::size_t i = 0;
  for (auto& row : input.rows)
    for (auto& entry : row) {
      entry.value = change(entry.value, i++);
      if (input.value_type == ValueType::f32) entry.value = static_cast<float>(entry.value);
    }
  return input;
}

TEST(RealKernels, Logarithms) { expect_same(logs(1, 25, 400, 0.3)); }

TEST(RealKernels, Doubles) {
  KernelCase input = logs(2, 20, 300, 0.3);
  input.value_type = ValueType::f64;
  expect_same(changed(input, [](double x, std::size_t i) { return x / 3 + static_cast<double>(i) * 1e-9; }));
}

// Addends that cancel but for their last bits, over the whole range of exponents.
TEST(RealKernels, EveryMagnitude) {
  KernelCase input = logs(3, 12, 200, 0.5);
  expect_same(changed(input, [](double x, std::size_t i) { return std::ldexp(i % 2 ? -x : x, static_cast<int>(i * 37 % 240) - 130); }));
  input.value_type = ValueType::f64;
  input.moments = false;  // squares of these leave the range of doubles
  expect_same(changed(input, [](double x, std::size_t i) { return std::ldexp(i % 2 ? -x : x, static_cast<int>(i * 97 % 2000) - 1050); }));
}

TEST(RealKernels, ExtremeFloats) {
  const float tiny = std::numeric_limits<float>::denorm_min(), huge = std::numeric_limits<float>::max();
  KernelCase input = logs(4, 6, 100, 0.9);
  input = changed(input, [&](double, std::size_t i) { return static_cast<double>(i % 3 == 0 ? tiny : i % 3 == 1 ? huge : -tiny); });
  expect_same(input);
}

TEST(RealKernels, NaNAndInfinities) {
  KernelCase input = logs(5, 30, 60, 0.5);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_same(changed(input, [&](double x, std::size_t i) { return i % 41 == 0 ? nan : x; }));
  expect_same(changed(input, [&](double x, std::size_t i) { return i % 37 == 0 ? infinity : x; }));
  expect_same(changed(input, [&](double x, std::size_t i) { return i % 29 == 0 ? -infinity : x; }));
  expect_same(changed(input, [&](double x, std::size_t i) { return i % 13 == 0 ? infinity : i % 17 == 0 ? -infinity : x; }));
}

TEST(RealKernels, ZerosAndNegativeValues) {
  KernelCase input = logs(6, 30, 80, 0.6);
  input.n_largest = {1, 10, 30, 50, 70, 80};
  expect_same(changed(input, [](double x, std::size_t i) { return i % 5 == 0 ? 0.0 : i % 7 == 0 ? -0.0 : i % 3 ? -x : x; }));
  expect_same(changed(input, [](double, std::size_t) { return -1.5; }));
  expect_same(changed(input, [](double, std::size_t i) { return i % 2 ? 2.25 : -2.25; }));
}

TEST(RealKernels, EmptyRowsAndNoRows) {
  KernelCase input = logs(7, 20, 90, 0.2);
  for (std::size_t r = 0; r < input.rows.size(); r += 3) input.rows[r].clear();
  expect_same(input);
  input.rows.assign(4, {});
  expect_same(input);
  input.rows.clear();
  expect_same(input);
}

TEST(RealKernels, OneValueAndManyGenes) {
  expect_same(logs(8, 1, 1, 1));
  KernelCase input = logs(9, 3, 70000, 0.02);
  input.moments = false;
  expect_same(input);
}

// Chunks of whole numbers in a pass over real ones, and one that is coded in bytes.
TEST(RealKernels, WholeNumbersInARealPass) {
  KernelCase input = logs(10, 12, 150, 0.4);
  input.rows = random_counts(10, 12, 150, 0.4, 200);
  expect_same(input);
  input.value_type = ValueType::f64;
  expect_same(input);
}

}  // namespace
}  // namespace quern::emulation
