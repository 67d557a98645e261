#include "cuda/gene_sums.hpp"

#include <bit>
#include <vector>

#include "host/ops/gene_states.hpp"

namespace quern::cuda {
namespace {

int128 wide(const SplitSum& sum) { return static_cast<int128>(sum.high) * (int128{1} << 32) + static_cast<int128>(sum.low); }

LogMoments logs_of(const MomentState& state) { return {wide(state.logs), wide(state.log_squares), state.flags}; }

template <class Sum>
Sum sum_of(const LimbState<Sum>& state) {
  static_assert(sizeof(Sum) == sizeof state);
  return std::bit_cast<Sum>(state);
}

GeneTables tables_in(const PassSpec& pass, const std::byte* block) {
  Carver carver(const_cast<std::byte*>(block));  // only read through
  return carve_tables(pass, carver);
}

void set_log_moments(ColumnResults& results, std::size_t gene, const LogMoments& logs, std::int64_t n_rows) {
  const MeanVar finished = finish_logs(logs, n_rows);
  results.mean_log1p_cpm[gene] = finished.mean;
  results.var_log1p_cpm[gene] = finished.var;
}

void set_moments(ColumnResults& results, std::size_t gene, const MeanVar& finished) {
  results.mean[gene] = finished.mean;
  results.var[gene] = finished.var;
}

class WholeSums final : public GeneSums {
 public:
  explicit WholeSums(const PassSpec& pass) : pass_(pass), genes_(pass.n_cols), moments_(pass.moments ? pass.n_cols : 0) {}
  static std::size_t bytes(const PassSpec& pass) { return pass.n_cols * (sizeof(WholeGene) + (pass.moments ? sizeof(WholeMoments) : 0)); }

  void add(const std::byte* block) override {
    const GeneTables tables = tables_in(pass_, block);
    for (std::size_t g = 0; g < genes_.size(); ++g) {
      genes_[g].sum += tables.whole[g].sum;
      genes_[g].n_nonzero += static_cast<std::int64_t>(tables.whole[g].n_nonzero);
    }
    for (std::size_t g = 0; g < moments_.size(); ++g) moments_[g].combine({wide(tables.moments[g].squares), logs_of(tables.moments[g])});
  }

  ColumnResults finish(std::int64_t n_rows) const override {
    ColumnResults results;
    results.resize(genes_.size(), pass_.moments);
    for (std::size_t g = 0; g < genes_.size(); ++g) {
      results.totals[g].whole = genes_[g].sum;
      results.grand_total.whole += genes_[g].sum;
      results.n_nonzero[g] = genes_[g].n_nonzero;
      if (!pass_.moments) continue;
      set_moments(results, g, finish_whole(genes_[g].sum, moments_[g].squares, n_rows));
      set_log_moments(results, g, moments_[g].logs, n_rows);
    }
    return results;
  }

 private:
  PassSpec pass_;
  std::vector<WholeGene> genes_;
  std::vector<WholeMoments> moments_;
};

template <class V>
class RealSums final : public GeneSums {
 public:
  explicit RealSums(const PassSpec& pass) : pass_(pass), genes_(pass.n_cols), moments_(pass.moments ? pass.n_cols : 0) {}
  static std::size_t bytes(const PassSpec& pass) {
    return pass.n_cols * (sizeof(RealGene<V>) + (pass.moments ? sizeof(RealMoments<V>) : 0));
  }

  void add(const std::byte* block) override {
    const GeneTables tables = tables_in(pass_, block);
    const auto* genes = static_cast<const RealGeneState<V>*>(tables.real);
    const auto* squares = static_cast<const SquareState<V>*>(tables.squares);
    for (std::size_t g = 0; g < genes_.size(); ++g) {
      genes_[g].sum.combine(sum_of(genes[g].sum));
      genes_[g].n_nonzero += static_cast<std::int64_t>(genes[g].n_nonzero);
    }
    for (std::size_t g = 0; g < moments_.size(); ++g) moments_[g].combine({sum_of(squares[g]), logs_of(tables.moments[g])});
  }

  ColumnResults finish(std::int64_t n_rows) const override {
    ColumnResults results;
    results.integer_mode = false;
    results.resize(genes_.size(), pass_.moments);
    typename ExactSums<V>::Sum all;
    for (std::size_t g = 0; g < genes_.size(); ++g) {
      results.n_nonzero[g] = genes_[g].n_nonzero;
      results.totals[g].real = genes_[g].sum.value();
      all.combine(genes_[g].sum);
      if (!pass_.moments) continue;
      set_moments(results, g, finish_real(genes_[g].sum.precise(), moments_[g].squares.precise(), n_rows));
      set_log_moments(results, g, moments_[g].logs, n_rows);
    }
    results.grand_total.real = all.value();
    return results;
  }

 private:
  PassSpec pass_;
  std::vector<RealGene<V>> genes_;
  std::vector<RealMoments<V>> moments_;
};

}  // namespace

std::unique_ptr<GeneSums> make_gene_sums(const PassSpec& pass) {
  if (pass.whole) return std::make_unique<WholeSums>(pass);
  if (pass.value_type == ValueType::f32) return std::make_unique<RealSums<float>>(pass);
  return std::make_unique<RealSums<double>>(pass);
}

std::size_t gene_sums_bytes(const PassSpec& pass) {
  if (pass.whole) return WholeSums::bytes(pass);
  return pass.value_type == ValueType::f32 ? RealSums<float>::bytes(pass) : RealSums<double>::bytes(pass);
}

}  // namespace quern::cuda
