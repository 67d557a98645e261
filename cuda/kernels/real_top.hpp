// Exact sums of the largest values of rows of any numbers. One block a row. NaN ranks above everything (host/cpu/top_sums.hpp).
#pragma once
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/limb_sums.hpp"
#include "cuda/kernels/order_key.hpp"
#include "cuda/kernels/rank_search.hpp"

namespace quern::cuda {

template <class EntriesType, class V>
struct RealTop {
  static constexpr int threads = 256, blocks_each = 3;
  using Sum = typename ExactSums<V>::Sum;
  using Key = std::conditional_t<sizeof(V) == 4, std::uint32_t, std::uint64_t>;
  using Search = RankSearch<Key>;

  EntriesType entries;
  PassSpec pass;
  DeviceRows rows;

  static constexpr std::size_t shared_bytes() {
    return Search::bytes() + SharedSums<Sum>::bytes(Search::max_ranks) + Search::max_ranks * sizeof(std::uint32_t);
  }

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const Search search(block);
    const SharedSums<Sum> sums(block, Search::max_ranks);
    const auto taken = block.shared<std::uint32_t>(Search::max_ranks);  // how many of the values equal to a bound were added
    for (std::int32_t row = block.index(); row < entries.chunk.n_rows; row += block.count())
      for (int t = 0; t < pass.n_top; t += Search::max_ranks) write_sums(block, warp, search, sums, taken, row, t);
  }

 private:
  // Positions first_top .. of pass.n_largest, at most four. The next search's barriers come before `sums` is written again.
  QUERN_DEVICE void write_sums(const Block& block, const Warp& warp, const Search& search, const SharedSums<Sum>& sums,
                               const Shared<std::uint32_t>& taken, std::int32_t row, int first_top) const {
    const std::uint32_t begin = entries.row_begin(row), n = entries.row_end(row) - begin;
    const auto value_at = [&](std::uint32_t i) { return static_cast<V>(entries.real(entries.stored(begin + i), begin + i)); };
    const auto key_at = [&](std::uint32_t i) { return order_key(value_at(i)); };
    const std::uint32_t n_not_negative = search.count_not_negative(block, warp, n, key_at);
    std::uint32_t ranks[Search::max_ranks];
    for (int j = 0; j < Search::max_ranks; ++j)
      ranks[j] = first_top + j < pass.n_top
                     ? stored_rank(static_cast<std::uint32_t>(load(pass.n_largest, first_top + j)), n_not_negative, n, pass.n_cols)
                     : 0;
    typename Search::Found found[Search::max_ranks];
    search.find(block, warp, n, key_at, ranks, found);
    sums.clear(block);
    if (block.thread() < Search::max_ranks) taken.set(block.thread(), 0);
    block.barrier();
    for (int j = 0; j < Search::max_ranks; ++j) {
      LaneSum<Sum> mine;
      for (auto i = static_cast<std::uint32_t>(block.thread()); i < n; i += static_cast<std::uint32_t>(block.threads())) {
        const V value = value_at(i);
        const Key key = order_key(value);
        const bool equal_and_wanted = key == found[j].key && found[j].equal && taken.atomic_add(j, 1U) < found[j].equal;
        if (key > found[j].key || equal_and_wanted) mine.observe(sums, j, static_cast<double>(value));
      }
      mine.flush(warp, sums, j);
    }
    block.barrier();
    const int j = block.thread();
    if (j < Search::max_ranks && first_top + j < pass.n_top)
      store(rows.top, std::int64_t{row} * pass.n_top + first_top + j, std::bit_cast<std::uint64_t>(sums.take_value(j)));
  }
};

}  // namespace quern::cuda
