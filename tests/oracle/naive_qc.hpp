// The statistics once more, slowly and plainly; includes nothing of host/ops, so that a shared mistake cannot hide.
#pragma once
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/support/memory_source.hpp"

namespace quern::test {

struct NaiveQc {
  std::vector<std::int64_t> cell_counts, gene_counts;
  std::vector<long double> cell_totals, gene_totals, mean, var, mean_log, var_log;
  std::vector<std::vector<long double>> top, sets;  // [cell][k]
};

// long double: exact for the whole numbers and small tables that the tests use.
inline NaiveQc naive_qc(const Rows& rows, std::int64_t n_cols, const std::vector<std::int32_t>& n_top,
                        const std::vector<std::uint32_t>& gene_sets, int n_sets) {
  NaiveQc qc;
  const auto n_genes = static_cast<std::size_t>(n_cols);
  const auto n_cells = static_cast<long double>(rows.size());
  qc.gene_counts.assign(n_genes, 0);
  for (auto* list : {&qc.gene_totals, &qc.mean, &qc.var, &qc.mean_log, &qc.var_log}) list->assign(n_genes, 0);
  std::vector<std::vector<long double>> dense, logs;
  for (const auto& row : rows) {
    std::vector<long double> cells(n_genes, 0);
    for (const Entry& entry : row) cells[entry.column] += static_cast<long double>(entry.value);
    long double total = 0;
    std::int64_t count = 0;
    std::vector<long double> in_sets(static_cast<std::size_t>(n_sets), 0);
    for (std::size_t g = 0; g < n_genes; ++g) {
      total += cells[g];
      count += cells[g] != 0;
      qc.gene_counts[g] += cells[g] != 0;
      qc.gene_totals[g] += cells[g];
      for (std::size_t q = 0; q < in_sets.size(); ++q)
        if (gene_sets[g] >> q & 1) in_sets[q] += cells[g];
    }
    std::vector<long double> sorted = cells, sums;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    for (const std::int32_t n : n_top) {
      long double sum = 0;
      for (std::int32_t i = 0; i < n; ++i) sum += sorted[static_cast<std::size_t>(i)];
      sums.push_back(sum);
    }
    std::vector<long double> log_cells;
    const double factor = static_cast<double>(total) / 1e6;
    for (const long double x : cells) log_cells.push_back(std::log1p(x / static_cast<long double>(factor == 0 ? 1 : factor)));
    qc.cell_counts.push_back(count);
    qc.cell_totals.push_back(total);
    qc.top.push_back(sums);
    qc.sets.push_back(in_sets);
    dense.push_back(cells);
    logs.push_back(log_cells);
  }
  const auto moments = [&](const std::vector<std::vector<long double>>& table, std::vector<long double>& mean,
                           std::vector<long double>& var) {
    for (std::size_t g = 0; g < n_genes; ++g) {
      for (const auto& row : table) mean[g] += row[g] / n_cells;
      for (const auto& row : table) var[g] += (row[g] - mean[g]) * (row[g] - mean[g]) / (n_cells - 1);
    }
  };
  moments(dense, qc.mean, qc.var);
  moments(logs, qc.mean_log, qc.var_log);
  return qc;
}

}  // namespace quern::test
