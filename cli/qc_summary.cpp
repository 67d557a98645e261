#include "cli/qc_summary.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "cli/qc_tables.hpp"

namespace quern::cli {
namespace {

template <class Iterator>
double middle(Iterator first, Iterator last) {
  const auto size = last - first;
  if (size == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto half = first + size / 2;
  std::nth_element(first, half, last);
  const auto upper = static_cast<double>(*half);
  if (size % 2 == 1) return upper;
  const auto lower = static_cast<double>(*std::max_element(first, half));
  return (lower + upper) / 2;
}

}  // namespace

double median(std::span<double> values) { return middle(values.begin(), values.end()); }
double median(std::span<std::int32_t> values) { return middle(values.begin(), values.end()); }

std::span<double> numbers_of(std::span<double> values) {
  const auto end = std::partition(values.begin(), values.end(), [](double x) { return !std::isnan(x); });
  return values.first(static_cast<std::size_t>(end - values.begin()));
}

QcSummary::QcSummary(std::int64_t n_obs, int n_sets, MemoryBudget& budget) : n_sets_(static_cast<std::size_t>(n_sets)) {
  const auto cells = static_cast<std::size_t>(n_obs);
  claim_ = budget.claim("results kept for each cell", cells * (sizeof(std::int32_t) + sizeof(double) * (1 + n_sets_)));
  n_genes_.resize(cells);
  counts_.resize(cells);
  percent_.resize(cells * n_sets_);
}

void QcSummary::begin(bool integer_mode) {
  totals_ = {};
  totals_.integer_mode = integer_mode;
  for (ArrayHash& hash : hashes_) hash.restart();
}

void QcSummary::rows(RowPacket& packet) {
  const RowBlock& block = packet.block;
  const auto n_rows = static_cast<std::size_t>(block.rows.size()), first = static_cast<std::size_t>(block.rows.first);
  const std::size_t cells = n_genes_.size();
  for (std::size_t row = 0; row < n_rows; ++row) {
    const double total = as_real(block.totals[row], block.integer_mode);
    n_genes_[first + row] = block.n_nonzero[row];
    counts_[first + row] = total;
    totals_.n_nonzero += block.n_nonzero[row];
    totals_.n_empty_cells += block.n_nonzero[row] == 0;
    for (std::size_t q = 0; q < n_sets_; ++q)
      percent_[q * cells + first + row] = percent_of(as_real(block.sets[row * n_sets_ + q], block.integer_mode), total);
  }
  hashes_[0].add(std::span(block.n_nonzero, n_rows));
  hashes_[1].add(std::span<const Total>(block.totals, n_rows), block.integer_mode);
  hashes_[2].add(std::span<const Total>(block.top, n_rows * static_cast<std::size_t>(block.n_top)), block.integer_mode);
  hashes_[3].add(std::span<const Total>(block.sets, n_rows * n_sets_), block.integer_mode);
}

void QcSummary::finish(const ColumnResults& results) {
  hashes_[n_row_arrays].add(std::span<const std::int64_t>(results.n_nonzero));
  hashes_[n_row_arrays + 1].add(std::span<const Total>(results.totals), results.integer_mode);
  std::size_t next = n_row_arrays + 2;
  for (const auto* values : {&results.mean, &results.var, &results.mean_log1p_cpm, &results.var_log1p_cpm})
    hashes_[next++].add(std::span<const double>(*values));
  if (results.integer_mode)
    totals_.whole_counts = results.grand_total.whole;
  else
    totals_.real_counts = results.grand_total.real;
}

QcTotals QcSummary::totals(int threads) {
  constexpr std::size_t n_others = 2;
  const std::size_t cells = n_genes_.size();
  totals_.median_percent.resize(n_sets_);
  const auto find_median = [&](std::size_t which) {
    if (which >= n_others) {
      const std::size_t q = which - n_others;
      totals_.median_percent[q] = median(numbers_of(std::span(percent_).subspan(q * cells, cells)));
    } else if (which == 0) {
      totals_.median_genes = median(n_genes_);
    } else {
      const bool all_numbers = numbers_of(counts_).size() == counts_.size();
      totals_.median_counts = all_numbers ? median(counts_) : std::numeric_limits<double>::quiet_NaN();
    }
  };
  tbb::task_arena(threads).execute([&] { tbb::parallel_for(std::size_t{0}, n_others + n_sets_, find_median); });
  totals_.digest = combined_digest(hashes_);
  return totals_;
}

}  // namespace quern::cli
