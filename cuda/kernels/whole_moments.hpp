// Squares of whole numbers, and log1p CPM values and their squares, gene by gene. Runs after whole_fold, whose row totals it needs. One
// warp a row.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/moment_sums.hpp"
#include "host/ops/log1p.hpp"

namespace quern::cuda {

template <class EntriesType>
struct WholeMoments {
  static constexpr int threads = 256, blocks_each = 4;

  EntriesType entries;
  const std::uint64_t* totals;
  MomentState* moments;

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const int n_warps = block.count() * warp.count();
    for (std::int32_t row = block.index() * warp.count() + warp.index(); row < entries.chunk.n_rows; row += n_warps) {
      const double factor = cpm_factor(static_cast<double>(static_cast<std::int64_t>(load(totals, row))));
      const GridLog mine = log_of(warp.lane(), factor);  // lane k keeps that of the value k
      const std::uint32_t end = entries.row_end(row);
      for (std::uint32_t begin = entries.row_begin(row); begin < end; begin += warp_size) {
        const std::uint32_t at = begin + static_cast<std::uint32_t>(warp.lane());
        const std::int32_t value = at < end ? entries.whole(entries.stored(at), at) : 0;
        const GridLog log = look_up(warp, mine, value, factor);
        if (at < end) add(entries.column(at), value, log);
      }
    }
  }

 private:
  QUERN_DEVICE static GridLog log_of(std::int32_t value, double factor) {
    return grid_log(log1p_exact_order(static_cast<double>(value) / factor));
  }
  QUERN_DEVICE static GridLog look_up(const Warp& warp, const GridLog& mine, std::int32_t value, double factor) {
    const bool tabled = static_cast<std::uint32_t>(value) < warp_size;
    const int lane = tabled ? value : 0;
    const GridLog log{warp.shuffle(mine.value, lane), warp.shuffle(mine.square, lane), warp.shuffle(mine.flags, lane)};
    return tabled ? log : log_of(value, factor);
  }
  QUERN_DEVICE void add(std::uint32_t gene, std::int32_t value, const GridLog& log) const {
    add_split(&moments[gene].squares, std::int64_t{value} * value);
    add_log(&moments[gene], log);
  }
};

}  // namespace quern::cuda
