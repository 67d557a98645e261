// Random matrices for the tests of kernels; the same for the same seed.
#pragma once
#include <cmath>
#include <random>

#include "tests/emulation/kernel_case.hpp"

namespace quern::emulation {

// Whole numbers from 1 with about the given mean, many small and a few large.
inline test::Rows random_counts(std::uint64_t seed, std::size_t n_rows, std::uint32_t n_cols, double density, double mean) {
  std::mt19937_64 random(seed);
  const auto uniform = [&] { return (static_cast<double>(random() >> 11) + 0.5) * 0x1p-53; };
  test::Rows rows(n_rows);
  for (auto& row : rows) {
    const double share = density * 2 * uniform();
    for (std::uint32_t c = 0; c < n_cols; ++c)
      if (density >= 1 || uniform() < share) row.push_back({c, 1 + std::floor(-std::log(uniform()) * (mean - 1))});
  }
  return rows;
}

// The same matrix as counts, each cell's values scaled to log1p CPM, as float.
inline test::Rows random_logs(std::uint64_t seed, std::size_t n_rows, std::uint32_t n_cols, double density) {
  test::Rows rows = random_counts(seed, n_rows, n_cols, density, 3);
  for (auto& row : rows) {
    double total = 0;
    for (const auto& entry : row) total += entry.value;
    for (auto& entry : row) entry.value = static_cast<float>(std::log1p(entry.value / total * 1e4));
  }
  return rows;
}

inline std::vector<std::uint32_t> random_sets(std::uint64_t seed, std::uint32_t n_cols, int n_sets) {
  std::mt19937_64 random(seed);
  std::vector<std::uint32_t> sets(n_cols);
  const std::uint64_t used = n_sets == 32 ? 0xffffffffU : (std::uint64_t{1} << n_sets) - 1;
  for (auto& bits : sets) bits = random() % 10 == 0 ? static_cast<std::uint32_t>(random() & used) : 0U;
  return sets;
}

}  // namespace quern::emulation
