// Sums of the largest values for the rows that whole_fold left over: many large values, or negative ones. One block a row.
#pragma once
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/order_key.hpp"
#include "cuda/kernels/rank_search.hpp"
#include "cuda/kernels/whole_row.hpp"

namespace quern::cuda {

template <class EntriesType>
struct WholeTop {
  static constexpr int threads = 256, blocks_each = 3;
  using Search = RankSearch<std::uint32_t>;

  EntriesType entries;
  PassSpec pass;
  DeviceRows rows;
  RowList list;

  static constexpr std::size_t shared_bytes() { return Search::bytes() + Search::max_ranks * sizeof(std::int64_t); }

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const Search search(block);
    const auto sums = block.shared<std::int64_t>(Search::max_ranks);
    const auto n_rows = static_cast<std::int32_t>(load(list.count, 0));
    for (std::int32_t i = block.index(); i < n_rows; i += block.count()) {
      const std::int32_t row = load(list.rows, i);
      for (int t = 0; t < pass.n_top; t += Search::max_ranks) write_sums(block, warp, search, sums, row, t);
    }
  }

 private:
  // Positions first_top .. of pass.n_largest, at most four. The next search's barriers come before `sums` is written again.
  QUERN_DEVICE void write_sums(const Block& block, const Warp& warp, const Search& search, const Shared<std::int64_t>& sums,
                               std::int32_t row, int first_top) const {
    const std::uint32_t begin = entries.row_begin(row), n = entries.row_end(row) - begin;
    const auto value_at = [&](std::uint32_t i) { return entries.whole(entries.stored(begin + i), begin + i); };
    const auto key_at = [&](std::uint32_t i) { return order_key(value_at(i)); };
    const std::uint32_t n_not_negative = search.count_not_negative(block, warp, n, key_at);
    std::uint32_t ranks[Search::max_ranks];
    for (int j = 0; j < Search::max_ranks; ++j)
      ranks[j] = first_top + j < pass.n_top
                     ? stored_rank(static_cast<std::uint32_t>(load(pass.n_largest, first_top + j)), n_not_negative, n, pass.n_cols)
                     : 0;
    Search::Found found[Search::max_ranks];
    search.find(block, warp, n, key_at, ranks, found);
    if (block.thread() < Search::max_ranks) sums.set(block.thread(), 0);
    block.barrier();
    for (int j = 0; j < Search::max_ranks; ++j) {
      const std::int64_t sum = Group<warp_size>(warp).sum(sum_above(block, n, key_at, found[j].key));
      if (warp.lane() == 0) sums.atomic_add(j, sum);
    }
    block.barrier();
    for (int j = 0; j < Search::max_ranks; ++j) {
      if (block.thread() != 0 || first_top + j >= pass.n_top) continue;
      const std::int64_t equal = found[j].equal ? std::int64_t{found[j].equal} * key_value(found[j].key) : 0;
      store(rows.top, std::int64_t{row} * pass.n_top + first_top + j, static_cast<std::uint64_t>(sums.get(j) + equal));
    }
  }

  // This thread's part of the sum of the values with higher keys.
  template <class KeyAt>
  QUERN_DEVICE std::int64_t sum_above(const Block& block, std::uint32_t n, const KeyAt& key_at, std::uint32_t bound) const {
    std::int64_t sum = 0;
    for (auto i = static_cast<std::uint32_t>(block.thread()); i < n; i += static_cast<std::uint32_t>(block.threads())) {
      const std::uint32_t key = key_at(i);
      if (key > bound) sum += key_value(key);
    }
    return sum;
  }
};

}  // namespace quern::cuda
