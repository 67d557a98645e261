// One pass over any numbers: order-free exact sums, rounded once at the end.
#include <algorithm>
#include <mutex>

#include "host/cpu/cpu_runs.hpp"
#include "host/cpu/lease_pool.hpp"
#include "host/cpu/top_sums.hpp"
#include "host/ops/gene_states.hpp"
#include "host/ops/log1p.hpp"
#include "host/ops/op_spec.hpp"

namespace quern {
namespace {

constexpr std::int64_t rows_between_carries = std::int64_t{1} << 29;  // well below what ExactSum allows

template <class V>
struct RealCopy {
  using Sum = typename ExactSums<V>::Sum;
  RealCopy(const OpSpec& ops, std::int64_t n_vars)
      : genes(static_cast<std::size_t>(n_vars)),
        top(ops.rows.percent_top.empty() ? 0 : n_vars),
        set_sums(static_cast<std::size_t>(ops.n_gene_sets)) {
    if (ops.columns.moments) moments.resize(genes.size());
  }
  static std::size_t bytes(const OpSpec& ops, std::int64_t n_vars) {
    const std::size_t per_gene = sizeof(RealGene<V>) + (ops.columns.moments ? sizeof(RealMoments<V>) : 0);
    return static_cast<std::size_t>(n_vars) * per_gene + (ops.rows.percent_top.empty() ? 0 : TopScratch::bytes(n_vars)) +
           static_cast<std::size_t>(ops.n_gene_sets) * sizeof(Sum);
  }
  void carry() {
    for (auto& gene : genes) gene.sum.normalise();
    for (auto& moment : moments) moment.squares.normalise();
    rows_since_carry = 0;
  }
  std::vector<RealGene<V>> genes;
  std::vector<RealMoments<V>> moments;
  TopScratch top;
  std::vector<Sum> set_sums;
  std::int64_t rows_since_carry = 0;
};

template <class V>
class RealRun final : public Run {
 public:
  using Copy = RealCopy<V>;
  RealRun(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room)
      : ops_(ops),
        shape_(shape),
        results_claim_(room.budget.claim("results of genes", column_result_bytes(ops, shape))),
        copies_(make_copies(room)) {}

  void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) override {
    const auto copy = copies_.lease();
    const V* values = chunk.values_as<V>();
    copy->rows_since_carry += chunk.n_rows;
    if (copy->rows_since_carry > rows_between_carries) copy->carry();
    for (std::int32_t r = 0; r < chunk.n_rows; ++r) {
      const std::int32_t begin = chunk.offsets[r], n = chunk.offsets[r + 1] - begin;
      fold_row(chunk.columns + begin, values + begin, n, r, rows, *copy);
      if (rows.n_top)
        top_sums_real(values + begin, n, chunk.n_cols, ops_.rows.percent_top, copy->top, rows.top + std::ptrdiff_t{r} * rows.n_top);
      if (ops_.columns.moments) fold_moments(chunk.columns + begin, values + begin, n, rows.totals[r].real, *copy);
    }
  }

  ColumnResults finish() override {
    ColumnResults results;
    results.integer_mode = false;
    typename Copy::Sum all;
    results.resize(static_cast<std::size_t>(shape_.n_cols), ops_.columns.moments);
    for (std::size_t g = 0; g < results.totals.size(); ++g) {
      RealGene<V> gene;
      RealMoments<V> moments;
      for (const auto& copy : copies_.items()) {
        gene.sum.combine(copy->genes[g].sum);
        gene.n_nonzero += copy->genes[g].n_nonzero;
        if (ops_.columns.moments) moments.combine(copy->moments[g]);
      }
      results.n_nonzero[g] = gene.n_nonzero;
      results.totals[g].real = gene.sum.value();
      all.combine(gene.sum);
      if (!ops_.columns.moments) continue;
      const MeanVar values = finish_real(gene.sum.precise(), moments.squares.precise(), shape_.n_rows);
      const MeanVar logs = finish_logs(moments.logs, shape_.n_rows);
      results.mean[g] = values.mean;
      results.var[g] = values.var;
      results.mean_log1p_cpm[g] = logs.mean;
      results.var_log1p_cpm[g] = logs.var;
    }
    results.grand_total.real = all.value();
    return results;
  }

 private:
  std::vector<std::unique_ptr<Copy>> make_copies(const RunRoom& room) {
    const std::size_t bytes = Copy::bytes(ops_, shape_.n_cols);
    const int n = affordable_copies(bytes, room);
    claim_ = room.budget.claim("gene tables", bytes * static_cast<std::size_t>(n));
    std::vector<std::unique_ptr<Copy>> copies;
    for (int i = 0; i < n; ++i) copies.push_back(std::make_unique<Copy>(ops_, shape_.n_cols));
    return copies;
  }

  void fold_row(const std::uint32_t* columns, const V* values, std::int32_t n, std::int32_t r, RowBlock& rows, Copy& copy) {
    typename Copy::Sum total;
    std::int32_t n_nonzero = 0;
    for (auto& sum : copy.set_sums) sum = {};
    for (std::int32_t i = 0; i < n; ++i) {
      const auto value = static_cast<double>(values[i]);
      if (value == 0) continue;
      ++n_nonzero;
      RealGene<V>& gene = copy.genes[columns[i]];
      gene.sum.observe(value);
      ++gene.n_nonzero;
      total.observe(value);
      for (std::uint32_t sets = ops_.gene_sets.empty() ? 0 : ops_.gene_sets[columns[i]]; sets; sets &= sets - 1)
        copy.set_sums[static_cast<std::size_t>(std::countr_zero(sets))].observe(value);
    }
    rows.n_nonzero[r] = n_nonzero;
    rows.totals[r].real = total.value();
    for (int q = 0; q < rows.n_sets; ++q)
      rows.sets[std::ptrdiff_t{r} * rows.n_sets + q].real = copy.set_sums[static_cast<std::size_t>(q)].value();
  }

  void fold_moments(const std::uint32_t* columns, const V* values, std::int32_t n, double total, Copy& copy) {
    const double factor = cpm_factor(total);
    for (std::int32_t i = 0; i < n; ++i) {
      const auto value = static_cast<double>(values[i]);
      RealMoments<V>& moments = copy.moments[columns[i]];
      moments.squares.observe(value * value);
      const GridLog log = grid_log(log1p_exact_order(value / factor));
      moments.logs.observe(log.value, log.square);
      moments.logs.flags |= log.flags;
    }
  }

  OpSpec ops_;
  MatrixShape shape_;
  Claim claim_, results_claim_;
  LeasePool<Copy> copies_;
};

}  // namespace

std::size_t real_copy_bytes(const OpSpec& ops, const MatrixShape& shape) {
  return ops.value_type == ValueType::f32 ? RealCopy<float>::bytes(ops, shape.n_cols) : RealCopy<double>::bytes(ops, shape.n_cols);
}

std::unique_ptr<Run> make_real_run(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room) {
  if (ops.value_type == ValueType::f32) return std::make_unique<RealRun<float>>(ops, shape, room);
  return std::make_unique<RealRun<double>>(ops, shape, room);
}

}  // namespace quern
