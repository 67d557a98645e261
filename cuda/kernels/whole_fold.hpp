// The fused pass over a chunk of whole numbers: every entry is read once, and gives row totals, non-zeros, sums over gene sets, sums of
// the largest values, and gene counts and sums. See cuda/kernels/README.md for the schedule and its reasons.
#pragma once
#include "cuda/kernels/entries.hpp"
#include "cuda/kernels/row_share.hpp"
#include "cuda/kernels/whole_genes.hpp"
#include "cuda/kernels/whole_row.hpp"

namespace quern::cuda {

// Width: lanes a row. 32, or 8 for chunks of short rows (then n_sets <= 8).
template <class EntriesType, int Width>
struct WholeFold {
  static constexpr int threads = 768, blocks_each = 1;  // of a multiprocessor, whose shared memory one block fills
  // Values of each lane in flight while as many are worked on.
  static constexpr int warp_steps = sizeof(typename EntriesType::Value) == 8 ? 2 : 4, steps = Width == warp_size ? warp_steps : 1;
  static constexpr std::uint32_t long_row = 16384;  // entries; what is longer is shared by all warps of the block
  static constexpr int max_long_rows = 64;          // waiting to be shared; more are worked on by one warp each

  EntriesType entries;
  PassSpec pass;
  DeviceRows rows;
  WholeGeneState* genes;
  std::uint32_t window;  // genes in shared memory
  RowList unfinished;

  static constexpr std::size_t shared_bytes(std::uint32_t window) {
    return GeneWindow::bytes(window) + SetMembers::bytes(window) + Scratch::bytes();
  }

  // As many genes as fit, all if possible; a multiple of 32 otherwise.
  static constexpr std::uint32_t window_that_fits(std::uint32_t n_cols, std::size_t bytes) {
    if (shared_bytes(0) > bytes) return 0;
    const std::size_t words = (bytes - shared_bytes(0)) / sizeof(std::uint32_t);
    const std::size_t fit = words / 33 * 32;  // a bit of SetMembers beside each word
    return fit < n_cols ? static_cast<std::uint32_t>(fit) : n_cols;
  }

  QUERN_DEVICE void operator()(Block& block) const {
    const Warp warp(block);
    const Group<Width> group(warp);
    const Tools tools{GeneWindow(block, window, genes), SetMembers(block, window, pass.gene_sets)};
    const Scratch scratch(block);
    tools.genes.clear(block);
    if (pass.n_sets) tools.members.fill(warp);
    const RowShare share = share_of(warp, entries.chunk, block.index(), block.count());
    for (std::int32_t first = share.first; first < share.last; first += rows_between_flushes) {
      const std::int32_t left = share.last - first;
      const std::int32_t last = first + (left < rows_between_flushes ? left : rows_between_flushes);
      scratch.clear(block, first);
      block.barrier();
      fold_rows(group, tools, scratch, last);
      block.barrier();
      fold_long_rows(block, warp, tools, scratch);
      tools.genes.flush(block);
      block.barrier();
    }
  }

 private:
  struct Tools {
    GeneWindow genes;
    SetMembers members;
  };

  // Of the block: the next row nobody works on, the list of long rows, and one long row's sums.
  struct Scratch {
    enum { next_row, n_long, n_large, negatives, first_long, n_equal = first_long + max_long_rows, n_words = n_equal + warp_size };
    static constexpr std::size_t bytes() { return n_words * sizeof(std::uint32_t) + 8 + (2 * warp_size) * sizeof(std::int64_t); }
    Shared<std::uint32_t> words;
    Shared<std::int64_t> sums;  // set_sum and large_sum of each lane
    QUERN_DEVICE explicit Scratch(Block& block)
        : words(block.shared<std::uint32_t>(n_words)), sums(block.shared<std::int64_t>(2 * warp_size)) {}
    QUERN_DEVICE void clear(const Block& block, std::int32_t first_row) const {
      for (int i = block.thread(); i < n_words; i += block.threads())
        words.set(i, i == next_row ? static_cast<std::uint32_t>(first_row) : 0U);
      for (int i = block.thread(); i < 2 * warp_size; i += block.threads()) sums.set(i, 0);
    }
    QUERN_DEVICE void add(const Warp& warp, const WholeRow& part) const {
      words.atomic_add(n_equal + warp.lane(), part.n_equal);
      if (warp.lane() == 0) words.atomic_add(n_large, part.n_large);
      if (warp.lane() == 0 && part.negatives) words.atomic_add(negatives, 1U);
      if (part.set_sum) sums.atomic_add(warp.lane(), part.set_sum);
      if (part.large_sum) sums.atomic_add(warp_size + warp.lane(), part.large_sum);
    }
    // What was added, by one warp, which leaves zeros.
    QUERN_DEVICE WholeRow take(const Warp& warp) const {
      const int k = warp.lane();
      WholeRow all;
      all.n_equal = words.get(n_equal + k);
      all.n_large = words.get(n_large);
      all.negatives = words.get(negatives);
      all.set_sum = sums.get(k);
      all.large_sum = sums.get(warp_size + k);
      warp.sync();
      words.set(n_equal + k, 0);
      if (k == 0) words.set(n_large, 0);
      if (k == 0) words.set(negatives, 0);
      sums.set(k, 0);
      sums.set(warp_size + k, 0);
      return all;
    }
  };

  // Groups take rows in turn, a warp's groups together.
  QUERN_DEVICE void fold_rows(const Group<Width>& group, const Tools& tools, const Scratch& scratch, std::int32_t last) const {
    const Warp& warp = group.warp();
    while (true) {
      std::uint32_t taken = 0;
      if (warp.lane() == 0) taken = scratch.words.atomic_add(Scratch::next_row, static_cast<std::uint32_t>(group.per_warp));
      taken = warp.shuffle(taken, 0);
      if (taken >= static_cast<std::uint32_t>(last)) return;
      const std::int32_t row = static_cast<std::int32_t>(taken) + group.index();
      bool active = row < last;
      const std::uint32_t begin = active ? entries.row_begin(row) : 0, end = active ? entries.row_end(row) : 0;
      if (group.warp().any(end - begin > long_row)) {
        const bool postponed = postpone(group, scratch, row, end - begin > long_row);  // by all lanes, whether active or not
        active = active && !postponed;
      }
      WholeRow part;
      fold_entries<Width, steps>(group, tools, begin, active ? end : begin, part);
      write_row(group, part, row, active, pass, rows, unfinished);
    }
  }

  // Puts long rows on the block's list as far as there is room. By the whole warp; true for the groups whose row is on it.
  QUERN_DEVICE bool postpone(const Group<Width>& group, const Scratch& scratch, std::int32_t row, bool is_long) const {
    std::uint32_t place = max_long_rows;
    if (is_long && group.lane() == 0) place = scratch.words.atomic_add(Scratch::n_long, 1U);
    if (place < max_long_rows) scratch.words.set(Scratch::first_long + static_cast<int>(place), static_cast<std::uint32_t>(row));
    return group.from(place, 0) < max_long_rows;
  }

  // Entries begin .. end of one row for every group of the warp, in steps of a value a lane; the next batch is read ahead.
  template <int W, int Steps>
  QUERN_DEVICE void fold_entries(const Group<W>& group, const Tools& tools, std::uint32_t begin, std::uint32_t end, WholeRow& part) const {
    constexpr std::uint32_t stride = Steps * W;
    EntryBatch<EntriesType, W, Steps> batch, next;
    std::uint32_t at = begin + static_cast<std::uint32_t>(group.lane());
    batch.read(entries, at, end);
    for (; group.warp().any(begin < end); begin += stride, at += stride, batch = next) {
      next.read(entries, at + stride, end);
      for (int j = 0; j < Steps; ++j)
        fold_step(group, tools, batch.column[j], entries.whole(batch.value[j], at + static_cast<std::uint32_t>(j * W)), part);
    }
  }

  template <int W>
  QUERN_DEVICE void fold_step(const Group<W>& group, const Tools& tools, std::uint32_t gene, std::int32_t value, WholeRow& part) const {
    const WholeStep<W> step(group, value);
    step.observe(part);
    tools.genes.add(gene, value);
    if (pass.n_sets == 0) return;
    const std::uint32_t sets = value ? tools.members.of(gene) : 0U;
    if (group.warp().any(sets != 0)) step.observe_sets(part, sets, pass.n_sets);
  }

  // Every long row by all warps, which take slices of it in turn.
  QUERN_DEVICE void fold_long_rows(const Block& block, const Warp& warp, const Tools& tools, const Scratch& scratch) const {
    const Group<warp_size> group(warp);
    const auto n_long = scratch.words.get(Scratch::n_long);
    for (std::uint32_t i = 0; i < (n_long < max_long_rows ? n_long : max_long_rows); ++i) {
      const auto row = static_cast<std::int32_t>(scratch.words.get(Scratch::first_long + static_cast<int>(i)));
      const std::uint32_t end = entries.row_end(row), slice = long_row / 16;
      WholeRow part;
      for (std::uint32_t at = entries.row_begin(row) + static_cast<std::uint32_t>(warp.index()) * slice; at < end;
           at += slice * static_cast<std::uint32_t>(warp.count()))
        fold_entries<warp_size, warp_steps>(group, tools, at, at + slice < end ? at + slice : end, part);
      scratch.add(warp, part);
      block.barrier();
      if (warp.index() == 0) write_row(group, scratch.take(warp), row, true, pass, rows, unfinished);
      block.barrier();
    }
  }
};

}  // namespace quern::cuda
