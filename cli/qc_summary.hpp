// What `quern qc` says of all cells together: medians, sums and the digest. A sink.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/digest.hpp"
#include "host/core/memory.hpp"
#include "host/core/sink.hpp"

namespace quern::cli {

// NaN when there is no value; the mean of the two in the middle when they are even in number. No value may be NaN. Reorders `values`.
double median(std::span<double> values);
double median(std::span<std::int32_t> values);
std::span<double> numbers_of(std::span<double> values);  // those that are not NaN, moved to the front

struct QcTotals {
  std::int64_t n_nonzero = 0;
  bool integer_mode = true;
  std::int64_t whole_counts = 0;               // integer mode
  double real_counts = 0;                      // otherwise
  double median_genes = 0, median_counts = 0;  // NaN when a cell's total is
  std::vector<double> median_percent;          // per gene set, over the cells that have one
  std::int64_t n_empty_cells = 0;
  std::string digest;
};

// Keeps 12 bytes a cell and 8 for each gene set, claimed in the constructor.
class QcSummary final : public Sink {
 public:
  QcSummary(std::int64_t n_obs, int n_sets, MemoryBudget& budget);
  void begin(bool integer_mode) override;
  void rows(RowPacket& packet) override;
  void finish(const ColumnResults& results) override;
  QcTotals totals(int threads);  // after finish, once: reorders what was kept

 private:
  // Order of the arrays in the digest: per cell n_genes_by_counts, total_counts, sums of the largest (row after row), sums of gene sets
  // (row after row); per gene n_cells_by_counts, total_counts, mean, var, mean_log1p_cpm, var_log1p_cpm (empty without moments).
  static constexpr std::size_t n_row_arrays = 4, n_arrays = 10;
  std::size_t n_sets_;
  Claim claim_;
  std::vector<std::int32_t> n_genes_;
  std::vector<double> counts_, percent_;  // percent_: set after set
  std::array<ArrayHash, n_arrays> hashes_;
  QcTotals totals_;
};

}  // namespace quern::cli
