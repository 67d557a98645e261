// A sparse matrix as (row, column, value) in any order, the plainest truth to compare sources with.
#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <vector>

#include "tests/support/walk_source.hpp"

namespace quern::test {

struct Triplet {
  std::uint32_t row, column;
  double value;
};

struct Triplets {
  std::uint32_t n_rows = 0, n_cols = 0;
  std::vector<Triplet> entries;

  // Duplicates summed in the order of `entries`; explicit zeros stay.
  std::vector<Row> rows() const {
    std::vector<std::map<std::uint32_t, double>> sums(n_rows);
    for (const Triplet& t : entries) sums[t.row][t.column] += t.value;
    std::vector<Row> result;
    for (const auto& row : sums) result.emplace_back(row.begin(), row.end());
    return result;
  }
};

// Some rows and columns are empty, some full; entries in random order.
inline Triplets random_triplets(std::uint32_t n_rows, std::uint32_t n_cols, unsigned seed, bool duplicates = false) {
  std::mt19937 random(seed);
  Triplets t{n_rows, n_cols, {}};
  for (std::uint32_t r = 0; r < n_rows; ++r)
    for (std::uint32_t c = 0; c < n_cols; ++c) {
      const bool full = r % 13 == 1, empty = r % 5 == 0 || c % 7 == 3;
      if (!full && (empty || random() % 4 != 0)) continue;
      t.entries.push_back({r, c, static_cast<double>(random() % 50)});
      if (duplicates && random() % 5 == 0) t.entries.push_back({r, c, static_cast<double>(random() % 9)});
    }
  std::shuffle(t.entries.begin(), t.entries.end(), random);
  return t;
}

}  // namespace quern::test
