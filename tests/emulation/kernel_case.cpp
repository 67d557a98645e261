#include "tests/emulation/kernel_case.hpp"

#include <bit>
#include <cmath>

#include "host/cpu/cpu_backend.hpp"
#include "tests/emulation/emulated_pass.hpp"

namespace quern::emulation {
namespace {

using cuda::ColumnCode;
using cuda::ValueCode;

OpSpec operations(const KernelCase& input) {
  OpSpec ops;
  ops.rows.percent_top = input.n_largest;
  ops.columns.moments = input.moments;
  ops.gene_sets = input.gene_sets;
  ops.n_gene_sets = input.n_sets;
  ops.integer_mode = input.whole;
  ops.value_type = input.value_type;
  return ops;
}

// Row results of all cells, and the part of them that belongs to a chunk.
class RowArrays {
 public:
  explicit RowArrays(const KernelCase& input)
      : input_(input),
        n_nonzero_(input.rows.size()),
        totals_(input.rows.size()),
        top_(input.rows.size() * input.n_largest.size()),
        sets_(input.rows.size() * static_cast<std::size_t>(input.n_sets)) {}

  RowBlock part(std::size_t first, std::size_t last) {
    const auto n_top = input_.n_largest.size(), n_sets = static_cast<std::size_t>(input_.n_sets);
    return {{static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)},
            input_.whole,
            static_cast<int>(n_top),
            input_.n_sets,
            n_nonzero_.data() + first,
            totals_.data() + first,
            top_.data() + first * n_top,
            sets_.data() + first * n_sets};
  }
  KernelResults with(const ColumnResults& columns) const {
    return {n_nonzero_,
            words(totals_),
            words(top_),
            words(sets_),
            {columns.n_nonzero.begin(), columns.n_nonzero.end()},
            words(columns.totals),
            words({columns.grand_total}),
            bits(columns.mean),
            bits(columns.var),
            bits(columns.mean_log1p_cpm),
            bits(columns.var_log1p_cpm)};
  }

 private:
  static std::vector<std::uint64_t> words(const std::vector<Total>& list) {
    std::vector<std::uint64_t> result;
    for (const Total& total : list) result.push_back(static_cast<std::uint64_t>(total.whole));
    return result;
  }
  static std::vector<std::uint64_t> bits(const std::vector<double>& list) {
    std::vector<std::uint64_t> result;
    for (const double value : list) result.push_back(std::bit_cast<std::uint64_t>(value));
    return result;
  }
  const KernelCase& input_;
  std::vector<std::int32_t> n_nonzero_;
  std::vector<Total> totals_, top_, sets_;
};

}  // namespace

std::vector<Codes> possible_codes(const KernelCase& input) {
  bool whole = true, narrow = true;
  for (const auto& row : input.rows)
    for (const auto& entry : row) {
      whole = whole && entry.value == std::rint(entry.value) && std::abs(entry.value) < 2147483648.0;
      narrow = narrow && !(static_cast<double>(static_cast<float>(entry.value)) != entry.value && entry.value == entry.value);
    }
  std::vector<Codes> codes;
  for (const ColumnCode column : {ColumnCode::u16, ColumnCode::u32}) {
    if (column == ColumnCode::u16 && input.n_cols > 65536) continue;
    if (input.whole || input.value_type == ValueType::f64) codes.push_back({column, ValueCode::f64});
    if (narrow) codes.push_back({column, ValueCode::f32});
    if (whole) codes.push_back({column, ValueCode::u8});
  }
  return codes;
}

KernelResults cpu_results(const KernelCase& input) {
  const HostChunk chunk(input.rows, 0, input.rows.size());
  const std::vector<float> floats(chunk.values.begin(), chunk.values.end());
  const auto n_rows = static_cast<std::int32_t>(input.rows.size());
  CsrChunkView<MemorySpace::host> view;
  view.n_rows = n_rows;
  view.n_cols = input.n_cols;
  view.offsets = chunk.offsets.data();
  view.columns = chunk.columns.data();
  view.value_type = input.value_type;
  view.values = input.value_type == ValueType::f32 ? static_cast<const void*>(floats.data()) : chunk.values.data();
  view.facts = chunk.facts;

  MemoryBudget budget(std::size_t{1} << 32);
  const auto run = make_cpu_backend(1)->open(operations(input), {n_rows, input.n_cols, view.nnz()}, budget, 0);
  RowArrays rows(input);
  RowBlock block = rows.part(0, input.rows.size());
  run->submit(view, block);
  return rows.with(run->finish());
}

KernelResults kernel_results(const KernelCase& input, const KernelSetting& setting) {
  const auto pass = EmulatedPass::make(operations(input), input.n_cols, setting.device);
  RowArrays rows(input);
  const std::size_t step = setting.rows_a_chunk ? setting.rows_a_chunk : std::max<std::size_t>(input.rows.size(), 1);
  for (std::size_t first = 0; first < input.rows.size() || first == 0; first += step) {
    const std::size_t last = std::min(first + step, input.rows.size());
    pass->fold(HostChunk(input.rows, first, last), setting.codes, setting.launcher, rows.part(first, last));
    if (setting.carry) pass->carry(setting.launcher);
  }
  return rows.with(pass->finish(static_cast<std::int64_t>(input.rows.size())));
}

std::string KernelResults::difference(const KernelResults& other) const {
  const auto first_difference = [](const char* name, const auto& mine, const auto& theirs) -> std::string {
    if (mine.size() != theirs.size()) return std::string(name) + " of another length";
    for (std::size_t i = 0; i < mine.size(); ++i)
      if (mine[i] != theirs[i])
        return std::string(name) + "[" + std::to_string(i) + "]: " + std::to_string(mine[i]) + " and " + std::to_string(theirs[i]);
    return {};
  };
  for (const std::string& found :
       {first_difference("n_nonzero", n_nonzero, other.n_nonzero), first_difference("totals", totals, other.totals),
        first_difference("top", top, other.top), first_difference("sets", sets, other.sets),
        first_difference("gene_counts", gene_counts, other.gene_counts), first_difference("gene_totals", gene_totals, other.gene_totals),
        first_difference("grand_total", grand_total, other.grand_total), first_difference("mean", mean, other.mean),
        first_difference("var", var, other.var), first_difference("mean_log1p_cpm", mean_log1p_cpm, other.mean_log1p_cpm),
        first_difference("var_log1p_cpm", var_log1p_cpm, other.var_log1p_cpm)})
    if (!found.empty()) return found;
  return {};
}

}  // namespace quern::emulation
