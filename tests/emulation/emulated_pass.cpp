#include "tests/emulation/emulated_pass.hpp"

#include "host/ops/gene_states.hpp"

namespace quern::emulation {
namespace {

int128 sum_of(const cuda::SplitSum& sum) { return static_cast<int128>(sum.high) * (int128{1} << 32) + sum.low; }

LogMoments logs_of(const cuda::MomentState& state) {
  LogMoments logs;
  logs.sum = sum_of(state.logs);
  logs.squares = sum_of(state.log_squares);
  logs.flags = state.flags;
  return logs;
}

template <class Sum>
Sum exact(const cuda::LimbState<Sum>& state) {
  Sum sum;
  for (int i = 0; i < Sum::n_limbs; ++i) sum.add_limb(i, state.limbs[i]);
  sum.add_flags(state.flags);
  return sum;
}

template <class T>
DeviceArray<T> zeros(std::size_t count) {
  DeviceArray<T> array(count);
  array.zero();
  return array;
}

template <class V>
class Pass final : public EmulatedPass {
 public:
  Pass(const OpSpec& ops, std::uint32_t n_cols, const cuda::DeviceShape& device)
      : device_(device),
        n_largest_(ops.rows.percent_top),
        gene_sets_(ops.gene_sets),
        whole_(zeros<cuda::WholeGeneState>(ops.integer_mode ? n_cols : 0)),
        real_(zeros<cuda::RealGeneState<V>>(ops.integer_mode ? 0 : n_cols)),
        squares_(zeros<cuda::SquareState<V>>(!ops.integer_mode && ops.columns.moments ? n_cols : 0)),
        moments_(zeros<cuda::MomentState>(ops.columns.moments ? n_cols : 0)) {
    pass_.n_cols = n_cols;
    pass_.n_top = static_cast<std::int32_t>(n_largest_.size());
    pass_.n_sets = ops.n_gene_sets;
    pass_.moments = ops.columns.moments;
    pass_.whole = ops.integer_mode;
    pass_.value_type = sizeof(V) == 8 ? ValueType::f64 : ValueType::f32;
    pass_.n_largest = n_largest_.data();
    pass_.gene_sets = ops.n_gene_sets ? gene_sets_.data() : nullptr;
  }

  void fold(const HostChunk& chunk, const Codes& codes, const GridLauncher& launcher, const RowBlock& rows) override {
    const CodedChunk coded(chunk, pass_.n_cols, codes);
    const std::size_t n = chunk.offsets.size() - 1;
    const DeviceArray<std::int32_t> n_nonzero(n);
    const DeviceArray<std::uint64_t> totals(n), top(n * static_cast<std::size_t>(pass_.n_top)),
        sets(n * static_cast<std::size_t>(pass_.n_sets));
    cuda::ChunkJob job;
    job.pass = pass_;
    job.pass.max_rows = coded.view().n_rows;
    job.pass.max_nnz = coded.view().nnz;
    job.chunk = coded.view();
    job.rows = {n_nonzero.data(), totals.data(), top.data(), sets.data()};
    job.genes = tables();
    const DeviceArray<std::byte> scratch(cuda::dispatch_scratch_bytes(job.pass));
    job.scratch = scratch.data();
    auto on = launcher;
    if (pass_.whole)
      cuda::dispatch_whole_chunk(job, device_, on);
    else
      cuda::dispatch_real_chunk(job, device_, on);
    fetch(n_nonzero, rows.n_nonzero);
    fetch(totals, rows.totals);
    fetch(top, rows.top);
    fetch(sets, rows.sets);
  }

  void carry(const GridLauncher& launcher) override {
    auto on = launcher;
    if (!pass_.whole) cuda::dispatch_carry(pass_, tables(), device_, on);
  }

  ColumnResults finish(std::int64_t n_rows) const override {
    ColumnResults results;
    results.integer_mode = pass_.whole;
    results.resize(pass_.n_cols, pass_.moments);
    typename ExactSums<V>::Sum all;
    for (std::size_t g = 0; g < pass_.n_cols; ++g) {
      if (pass_.whole) {
        finish_whole_gene(results, g, n_rows);
        continue;
      }
      const auto sum = exact<typename ExactSums<V>::Sum>(real_[g].sum);
      all.combine(sum);
      results.n_nonzero[g] = static_cast<std::int64_t>(real_[g].n_nonzero);
      results.totals[g].real = sum.value();
      if (!pass_.moments) continue;
      const auto squares = exact<typename ExactSums<V>::SquareSum>(squares_[g]);
      put_moments(results, g, finish_real(sum.precise(), squares.precise(), n_rows), n_rows);
    }
    if (!pass_.whole) results.grand_total.real = all.value();
    return results;
  }

 private:
  cuda::GeneTables tables() const { return {whole_.data(), moments_.data(), real_.data(), squares_.data()}; }

  template <class From, class To>
  static void fetch(const DeviceArray<From>& from, To* to) {
    static_assert(sizeof(From) == sizeof(To));
    if (from.size()) std::memcpy(static_cast<void*>(to), from.data(), from.size() * sizeof(From));
  }

  void finish_whole_gene(ColumnResults& results, std::size_t g, std::int64_t n_rows) const {
    results.n_nonzero[g] = static_cast<std::int64_t>(whole_[g].n_nonzero);
    results.totals[g].whole = whole_[g].sum;
    results.grand_total.whole += whole_[g].sum;
    if (pass_.moments) put_moments(results, g, finish_whole(whole_[g].sum, sum_of(moments_[g].squares), n_rows), n_rows);
  }
  void put_moments(ColumnResults& results, std::size_t g, const MeanVar& values, std::int64_t n_rows) const {
    const MeanVar logs = finish_logs(logs_of(moments_[g]), n_rows);
    results.mean[g] = values.mean;
    results.var[g] = values.var;
    results.mean_log1p_cpm[g] = logs.mean;
    results.var_log1p_cpm[g] = logs.var;
  }

  cuda::PassSpec pass_;
  cuda::DeviceShape device_;
  DeviceArray<std::int32_t> n_largest_;
  DeviceArray<std::uint32_t> gene_sets_;
  DeviceArray<cuda::WholeGeneState> whole_;
  DeviceArray<cuda::RealGeneState<V>> real_;
  DeviceArray<cuda::SquareState<V>> squares_;
  DeviceArray<cuda::MomentState> moments_;
};

}  // namespace

std::unique_ptr<EmulatedPass> EmulatedPass::make(const OpSpec& ops, std::uint32_t n_cols, const cuda::DeviceShape& device) {
  if (ops.value_type == ValueType::f64) return std::make_unique<Pass<double>>(ops, n_cols, device);
  return std::make_unique<Pass<float>>(ops, n_cols, device);
}

std::vector<std::byte> mapped_values(const CodedChunk& chunk, const std::vector<double>& divisors, const ValueMap& map, ValueType out_type,
                                     const GridLauncher& launcher) {
  const DeviceArray<double> on_device(divisors);
  const DeviceArray<std::byte> out(static_cast<std::size_t>(chunk.view().nnz) * size_of(out_type));
  const cuda::MapJob job{chunk.view(), on_device.data(), map, out_type, out.data()};
  auto on = launcher;
  cuda::dispatch_map_values(job, {2, 0}, on);
  return {out.data(), out.data() + out.size()};
}

}  // namespace quern::emulation
