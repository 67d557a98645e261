// The fused pass over a chunk of any numbers: exact sums, rounded once, whatever the order. One block a row, so that a row may be of any
// length; gene sums are limbs in global memory. Slower than whole_fold by what exact sums cost, several times quicker than the
// link to the device still.
#pragma once
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/limb_sums.hpp"
#include "cuda/kernels/moment_sums.hpp"
#include "host/ops/log1p.hpp"

namespace quern::cuda {

// V: what the values were before they were narrowed for the device; decides the width of sums.
template <class EntriesType, class V>
struct RealFold {
  static constexpr int threads = 128, blocks_each = 6;
  using Sum = typename ExactSums<V>::Sum;

  EntriesType entries;
  PassSpec pass;
  DeviceRows rows;
  RealGeneState<V>* genes;
  SquareState<V>* squares;  // with moments
  MomentState* moments;

  static constexpr std::size_t shared_bytes(int n_sets) { return SharedSums<Sum>::bytes(1 + n_sets) + 2 * sizeof(std::uint64_t); }

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const SharedSums<Sum> sums(block, 1 + pass.n_sets);  // the total, then the sets
    const auto n_nonzero = block.shared<std::uint32_t>(1);
    const auto total = block.shared<double>(1);
    for (std::int32_t row = block.index(); row < entries.chunk.n_rows; row += block.count()) {
      sums.clear(block);
      if (block.thread() == 0) n_nonzero.set(0, 0);
      block.barrier();
      fold_row(block, warp, sums, n_nonzero, row);
      block.barrier();
      write_row(block, sums, n_nonzero, total, row);
      block.barrier();
      if (pass.moments) fold_moments(block, row, cpm_factor(total.get(0)));
    }
  }

 private:
  QUERN_DEVICE void fold_row(const Block& block, const Warp& warp, const SharedSums<Sum>& sums, const Shared<std::uint32_t>& n_nonzero,
                             std::int32_t row) const {
    LaneSum<Sum> mine;
    std::uint32_t n = 0;
    const std::uint32_t end = entries.row_end(row);
    for (std::uint32_t begin = entries.row_begin(row) + static_cast<std::uint32_t>(warp.index() * warp_size); begin < end;
         begin += static_cast<std::uint32_t>(block.threads())) {
      const std::uint32_t at = begin + static_cast<std::uint32_t>(warp.lane());
      const double value = at < end ? entries.real(entries.stored(at), at) : 0;
      n += static_cast<std::uint32_t>(count_ones(warp.ballot(value != 0)));
      if (value == 0) continue;
      const std::uint32_t gene = entries.column(at);
      mine.observe(sums, 0, value);
      add_global(&genes[gene].sum, value);
      atomic_add(&genes[gene].n_nonzero, 0, std::uint64_t{1});
      for (std::uint32_t sets = pass.n_sets ? load(pass.gene_sets, gene) : 0; sets; sets &= sets - 1)
        sums.observe(1 + lowest_one(sets), value);
    }
    mine.flush(warp, sums, 0);
    if (warp.lane() == 0) n_nonzero.atomic_add(0, n);
  }

  QUERN_DEVICE void write_row(const Block& block, const SharedSums<Sum>& sums, const Shared<std::uint32_t>& n_nonzero,
                              const Shared<double>& total, std::int32_t row) const {
    for (int k = block.thread(); k <= pass.n_sets; k += block.threads()) {
      const double value = sums.take_value(k);
      if (k > 0) {
        store(rows.sets, std::int64_t{row} * pass.n_sets + k - 1, std::bit_cast<std::uint64_t>(value));
        continue;
      }
      store(rows.totals, row, std::bit_cast<std::uint64_t>(value));
      store(rows.n_nonzero, row, static_cast<std::int32_t>(n_nonzero.get(0)));
      total.set(0, value);
    }
  }

  // Explicit zeros come along: what log1p makes of them depends on the row's factor.
  QUERN_DEVICE void fold_moments(const Block& block, std::int32_t row, double factor) const {
    const std::uint32_t end = entries.row_end(row);
    for (std::uint32_t at = entries.row_begin(row) + static_cast<std::uint32_t>(block.thread()); at < end;
         at += static_cast<std::uint32_t>(block.threads())) {
      const double value = entries.real(entries.stored(at), at);
      const std::uint32_t gene = entries.column(at);
      add_global(&squares[gene], value * value);
      add_log(&moments[gene], grid_log(log1p_exact_order(value / factor)));
    }
  }
};

template <class Sum>
QUERN_DEVICE std::int64_t* limbs_of(LimbState<Sum>& state) {
  return state.limbs;
}
template <class V>
QUERN_DEVICE std::int64_t* limbs_of(RealGeneState<V>& state) {
  return state.sum.limbs;
}

struct GlobalLimbs {
  std::int64_t* data;
  QUERN_DEVICE std::int64_t get(int i) const { return load(data, i); }
  QUERN_DEVICE void set(int i, std::int64_t value) const { store(data, i, value); }
};

// Carries between the limbs of `n` sums, so that more can be added.
template <class State, class Sum>
struct CarryLimbs {
  static constexpr int threads = 256, blocks_each = 3;
  State* states;
  std::uint32_t n;
  QUERN_DEVICE void operator()(Block& block) const {
    for (std::uint32_t g = static_cast<std::uint32_t>(block.index() * block.threads() + block.thread()); g < n;
         g += static_cast<std::uint32_t>(block.count() * block.threads())) {
      carry_limbs(GlobalLimbs{limbs_of(states[g])}, Sum::n_limbs);
    }
  }
};

}  // namespace quern::cuda
