// One pass over whole numbers: exact integers, private gene tables, folded at the end.
#include <algorithm>

#include "host/cpu/cpu_runs.hpp"
#include "host/cpu/lease_pool.hpp"
#include "host/cpu/top_sums.hpp"
#include "host/cpu/whole_genes.hpp"
#include "host/ops/gene_states.hpp"
#include "host/ops/log1p.hpp"
#include "host/ops/op_spec.hpp"

namespace quern {
namespace {

// log1p CPM of small counts in one row, computed when first met.
class LogTable {
 public:
  void new_row(double factor) {
    factor_ = factor;
    ++row_;
  }
  GridLog of(double value) {
    const auto small = static_cast<std::int32_t>(value);
    if (small < 0 || small >= static_cast<std::int32_t>(size)) return compute(value);
    Entry& entry = entries_[static_cast<std::size_t>(small)];
    if (entry.row != row_) entry = {compute(value), row_};
    return entry.log;
  }

 private:
  static constexpr std::size_t size = 128;
  struct Entry {
    GridLog log;
    std::uint64_t row = 0;
  };
  GridLog compute(double value) const { return grid_log(log1p_exact_order(value / factor_)); }
  std::array<Entry, size> entries_{};
  double factor_ = 1;
  std::uint64_t row_ = 0;
};

struct WholeCopy {
  WholeCopy(const OpSpec& ops, std::int64_t n_vars)
      : genes(ops.gene_sets, static_cast<std::size_t>(n_vars)), top(ops.rows.percent_top.empty() ? 0 : n_vars) {
    if (ops.columns.moments) moments.resize(static_cast<std::size_t>(n_vars));
  }
  static std::size_t bytes(const OpSpec& ops, std::int64_t n_vars) {
    const std::size_t per_gene = WholeGenes::bytes_per_gene + (ops.columns.moments ? sizeof(WholeMoments) : 0);
    return static_cast<std::size_t>(n_vars) * per_gene + (ops.rows.percent_top.empty() ? 0 : TopScratch::bytes(n_vars)) + sizeof(LogTable);
  }
  WholeGenes genes;
  std::vector<WholeMoments> moments;
  TopScratch top;
  LogTable logs;
};

template <class V>
void fold_moments(const std::uint32_t* columns, const V* values, std::int32_t n, std::int64_t total, WholeCopy& copy) {
  copy.logs.new_row(cpm_factor(static_cast<double>(total)));
  for (std::int32_t i = 0; i < n; ++i) {
    const std::int64_t value = static_cast<std::int32_t>(values[i]);
    WholeMoments& moments = copy.moments[columns[i]];
    moments.squares += value * value;
    const GridLog log = copy.logs.of(static_cast<double>(value));
    moments.logs.observe(log.value, log.square);
    moments.logs.flags |= log.flags;
  }
}

class WholeRun final : public Run {
 public:
  WholeRun(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room)
      : ops_(ops),
        shape_(shape),
        results_claim_(room.budget.claim("results of genes", column_result_bytes(ops, shape))),
        copies_(make_copies(room)) {}

  void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) override {
    if (!chunk.facts.whole) throw NeedsGeneralMode();
    const auto copy = copies_.lease();
    if (chunk.value_type == ValueType::f32)
      fold<float>(chunk, rows, *copy);
    else
      fold<double>(chunk, rows, *copy);
  }

  ColumnResults finish() override {
    ColumnResults results;
    const auto n_vars = static_cast<std::size_t>(shape_.n_cols);
    results.resize(n_vars, ops_.columns.moments);
    for (std::size_t g = 0; g < n_vars; ++g) {
      std::int64_t sum = 0, n_nonzero = 0;
      for (const auto& copy : copies_.items()) {
        const WholeGene gene = copy->genes.result(g);
        sum += gene.sum;
        n_nonzero += gene.n_nonzero;
      }
      results.totals[g].whole = sum;
      results.grand_total.whole += sum;
      results.n_nonzero[g] = n_nonzero;
    }
    if (ops_.columns.moments) finish_moments(results);
    return results;
  }

 private:
  std::vector<std::unique_ptr<WholeCopy>> make_copies(const RunRoom& room) {
    const std::size_t bytes = WholeCopy::bytes(ops_, shape_.n_cols);
    const int n = affordable_copies(bytes, room);
    claim_ = room.budget.claim("gene tables", bytes * static_cast<std::size_t>(n));
    std::vector<std::unique_ptr<WholeCopy>> copies;
    for (int i = 0; i < n; ++i) copies.push_back(std::make_unique<WholeCopy>(ops_, shape_.n_cols));
    return copies;
  }

  template <class V>
  void fold(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows, WholeCopy& copy) {
    const V* values = chunk.values_as<V>();
    std::fill_n(rows.sets, static_cast<std::size_t>(chunk.n_rows) * static_cast<std::size_t>(rows.n_sets), Total{0});
    const auto fold_one = copy.genes.fold_for<V>(chunk.facts, chunk.n_rows);
    for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
      const std::int32_t begin = chunk.offsets[r], n = chunk.offsets[r + 1] - begin;
      const RowFold row = (copy.genes.*fold_one)(chunk.columns + begin, values + begin, n, rows.sets + std::ptrdiff_t{r} * rows.n_sets);
      rows.n_nonzero[r] = row.n_nonzero;
      rows.totals[r].whole = row.total;
      if (rows.n_top)
        top_sums_whole(values + begin, n, chunk.n_cols, ops_.rows.percent_top, copy.top, rows.top + std::ptrdiff_t{r} * rows.n_top);
      if (ops_.columns.moments) fold_moments(chunk.columns + begin, values + begin, n, row.total, copy);
    }
  }

  void finish_moments(ColumnResults& results) {
    for (std::size_t g = 0; g < results.totals.size(); ++g) {
      WholeMoments all;
      for (const auto& copy : copies_.items()) all.combine(copy->moments[g]);
      const MeanVar values = finish_whole(results.totals[g].whole, all.squares, shape_.n_rows);
      const MeanVar logs = finish_logs(all.logs, shape_.n_rows);
      results.mean[g] = values.mean;
      results.var[g] = values.var;
      results.mean_log1p_cpm[g] = logs.mean;
      results.var_log1p_cpm[g] = logs.var;
    }
  }

  OpSpec ops_;
  MatrixShape shape_;
  Claim claim_, results_claim_;
  LeasePool<WholeCopy> copies_;
};

}  // namespace

std::size_t whole_copy_bytes(const OpSpec& ops, const MatrixShape& shape) { return WholeCopy::bytes(ops, shape.n_cols); }

std::unique_ptr<Run> make_whole_run(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room) {
  return std::make_unique<WholeRun>(ops, shape, room);
}

}  // namespace quern
