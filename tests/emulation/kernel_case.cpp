#include "tests/emulation/kernel_case.hpp"

#include <bit>
#include <cmath>

#include "host/cpu/cpu_backend.hpp"
#include "host/ops/gene_states.hpp"

namespace quern::emulation {
namespace {

using cuda::ColumnCode;
using cuda::ValueCode;

std::uint64_t bits(double value) { return std::bit_cast<std::uint64_t>(value); }

template <class T>
void append(std::vector<T>& all, const DeviceArray<T>& part) {
  all.insert(all.end(), part.data(), part.data() + part.size());
}

int128 sum_of(const cuda::SplitSum& sum) { return static_cast<int128>(sum.high) * (int128{1} << 32) + sum.low; }

LogMoments logs_of(const cuda::MomentState& state) {
  LogMoments logs;
  logs.sum = sum_of(state.logs);
  logs.squares = sum_of(state.log_squares);
  logs.flags = state.flags;
  return logs;
}

void append_moments(KernelResults& results, const MeanVar& values, const MeanVar& logs) {
  results.mean.push_back(bits(values.mean));
  results.var.push_back(bits(values.var));
  results.mean_log1p_cpm.push_back(bits(logs.mean));
  results.var_log1p_cpm.push_back(bits(logs.var));
}

// The gene tables of a pass on the device.
template <class V>
class Tables {
 public:
  explicit Tables(const KernelCase& input)
      : whole_(input.whole ? input.n_cols : 0),
        real_(input.whole ? 0 : input.n_cols),
        squares_(!input.whole && input.moments ? input.n_cols : 0),
        moments_(input.moments ? input.n_cols : 0) {
    whole_.zero();
    real_.zero();
    squares_.zero();
    moments_.zero();
  }
  cuda::GeneTables view() const { return {whole_.data(), moments_.data(), real_.data(), squares_.data()}; }

  void finish(const KernelCase& input, KernelResults& results) const {
    const auto n = static_cast<std::int64_t>(input.rows.size());
    for (std::size_t g = 0; g < input.n_cols; ++g) {
      if (input.whole) {
        results.gene_counts.push_back(whole_[g].n_nonzero);
        results.gene_totals.push_back(static_cast<std::uint64_t>(whole_[g].sum));
        if (input.moments)
          append_moments(results, finish_whole(whole_[g].sum, sum_of(moments_[g].squares), n), finish_logs(logs_of(moments_[g]), n));
        continue;
      }
      const auto sum = exact<typename ExactSums<V>::Sum>(real_[g].sum);
      results.gene_counts.push_back(real_[g].n_nonzero);
      results.gene_totals.push_back(bits(sum.value()));
      if (!input.moments) continue;
      const auto squares = exact<typename ExactSums<V>::SquareSum>(squares_[g]);
      append_moments(results, finish_real(sum.precise(), squares.precise(), n), finish_logs(logs_of(moments_[g]), n));
    }
  }

 private:
  template <class Sum>
  static Sum exact(const cuda::LimbState<Sum>& state) {
    Sum sum;
    for (int i = 0; i < Sum::n_limbs; ++i) sum.add_limb(i, state.limbs[i]);
    sum.add_flags(state.flags);
    return sum;
  }
  DeviceArray<cuda::WholeGeneState> whole_;
  DeviceArray<cuda::RealGeneState<V>> real_;
  DeviceArray<cuda::SquareState<V>> squares_;
  DeviceArray<cuda::MomentState> moments_;
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
  OpSpec ops;
  ops.rows.percent_top = input.n_largest;
  ops.columns.moments = input.moments;
  ops.gene_sets = input.gene_sets;
  ops.n_gene_sets = input.n_sets;
  ops.integer_mode = input.whole;
  ops.value_type = input.value_type;
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
  const auto run = make_cpu_backend(1)->open(ops, {n_rows, input.n_cols, view.nnz()}, budget, 0);
  const auto n = input.rows.size();
  std::vector<Total> totals(n), top(n * input.n_largest.size()), sets(n * static_cast<std::size_t>(input.n_sets));
  KernelResults results;
  results.n_nonzero.resize(n);
  RowBlock block{{0, n_rows}, input.whole, static_cast<int>(input.n_largest.size()), input.n_sets, results.n_nonzero.data(), totals.data(),
                 top.data(),  sets.data()};
  run->submit(view, block);
  const auto words = [](const std::vector<Total>& list) {
    std::vector<std::uint64_t> result;
    for (const Total& total : list) result.push_back(static_cast<std::uint64_t>(total.whole));
    return result;
  };
  results.totals = words(totals);
  results.top = words(top);
  results.sets = words(sets);
  const ColumnResults columns = run->finish();
  results.gene_counts.assign(columns.n_nonzero.begin(), columns.n_nonzero.end());
  results.gene_totals = words(columns.totals);
  const auto copy_bits = [](const std::vector<double>& from, std::vector<std::uint64_t>& to) {
    for (const double value : from) to.push_back(bits(value));
  };
  copy_bits(columns.mean, results.mean);
  copy_bits(columns.var, results.var);
  copy_bits(columns.mean_log1p_cpm, results.mean_log1p_cpm);
  copy_bits(columns.var_log1p_cpm, results.var_log1p_cpm);
  return results;
}

namespace {

template <class V>
KernelResults results_of_kernels(const KernelCase& input, const KernelSetting& setting) {
  KernelResults results;
  const Tables<V> tables(input);
  const DeviceArray<std::int32_t> n_largest(input.n_largest);
  const DeviceArray<std::uint32_t> gene_sets(input.gene_sets);
  const std::size_t step = setting.rows_a_chunk ? setting.rows_a_chunk : std::max<std::size_t>(input.rows.size(), 1);
  for (std::size_t first = 0; first < input.rows.size() || first == 0; first += step) {
    const std::size_t last = std::min(first + step, input.rows.size());
    const HostChunk chunk(input.rows, first, last);
    const CodedChunk device(chunk, input.n_cols, setting.codes);
    cuda::ChunkJob job;
    const auto n_rows = static_cast<std::int32_t>(last - first), nnz = chunk.offsets.back();
    job.pass = {input.n_cols,     static_cast<std::int32_t>(input.n_largest.size()),
                input.n_sets,     input.moments,
                input.whole,      input.value_type,
                n_rows,           nnz,
                n_largest.data(), input.n_sets ? gene_sets.data() : nullptr};
    job.chunk = device.view();
    const std::size_t n = last - first;
    const DeviceArray<std::int32_t> n_nonzero(n);
    const DeviceArray<std::uint64_t> totals(n), top(n * input.n_largest.size()), sets(n * static_cast<std::size_t>(input.n_sets));
    job.rows = {n_nonzero.data(), totals.data(), top.data(), sets.data()};
    job.genes = tables.view();
    const DeviceArray<std::byte> scratch(cuda::dispatch_scratch_bytes(job.pass));
    job.scratch = scratch.data();
    auto launcher = setting.launcher;
    if (input.whole) {
      cuda::dispatch_whole_chunk(job, setting.device, launcher);
    } else {
      cuda::dispatch_real_chunk(job, setting.device, launcher);
      if (setting.carry) cuda::dispatch_carry(job.pass, job.genes, setting.device, launcher);
    }
    append(results.n_nonzero, n_nonzero);
    append(results.totals, totals);
    append(results.top, top);
    append(results.sets, sets);
  }
  tables.finish(input, results);
  return results;
}

}  // namespace

KernelResults kernel_results(const KernelCase& input, const KernelSetting& setting) {
  return input.value_type == ValueType::f64 ? results_of_kernels<double>(input, setting) : results_of_kernels<float>(input, setting);
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
        first_difference("mean", mean, other.mean), first_difference("var", var, other.var),
        first_difference("mean_log1p_cpm", mean_log1p_cpm, other.mean_log1p_cpm),
        first_difference("var_log1p_cpm", var_log1p_cpm, other.var_log1p_cpm)})
    if (!found.empty()) return found;
  return {};
}

}  // namespace quern::emulation
