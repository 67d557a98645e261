// Gene counts and sums of whole numbers: one 32-bit word a gene in shared memory, added to with one atomic a value.
//
// A word holds the count in its upper 12 bits and the sum of values up to 255 in its lower 20: neither overflows for 4095 cells. Larger
// and negative values are counted here and added to the table in global memory directly; so are both for genes beyond the window that
// fits into shared memory.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

constexpr int rows_between_flushes = 4095;

class GeneWindow {
 public:
  static constexpr std::size_t bytes(std::uint32_t n_genes) { return n_genes * sizeof(std::uint32_t); }

  QUERN_DEVICE GeneWindow(Block& block, std::uint32_t n_genes, WholeGeneState* table)
      : words_(block.shared<std::uint32_t>(static_cast<int>(n_genes))), n_genes_(static_cast<int>(n_genes)), table_(table) {}

  // By all threads; a barrier must follow before the first add.
  QUERN_DEVICE void clear(const Block& block) const {
    for (int g = block.thread(); g < n_genes_; g += block.threads()) words_.set(g, 0);
  }

  QUERN_DEVICE void add(std::uint32_t gene, std::int32_t value) const {
    if (value == 0) return;
    const bool fits = static_cast<std::uint32_t>(value) < 256;
    const bool inside = gene < static_cast<std::uint32_t>(n_genes_);
    if (inside)
      words_.atomic_add(static_cast<int>(gene), one_cell | (fits ? static_cast<std::uint32_t>(value) : 0U));
    else
      atomic_add(&table_[gene].n_nonzero, 0, std::uint64_t{1});
    if (!inside || !fits) atomic_add(&table_[gene].sum, 0, std::int64_t{value});
  }

  // Adds the words to the table and clears them; by all threads, between barriers.
  QUERN_DEVICE void flush(const Block& block) const {
    for (int g = block.thread(); g < n_genes_; g += block.threads()) {
      const std::uint32_t word = words_.get(g);
      if (word == 0) continue;
      words_.set(g, 0);
      atomic_add(&table_[g].n_nonzero, 0, std::uint64_t{word / one_cell});
      atomic_add(&table_[g].sum, 0, static_cast<std::int64_t>(word % one_cell));
    }
  }

 private:
  static constexpr std::uint32_t one_cell = 1U << 20;
  Shared<std::uint32_t> words_;
  int n_genes_;
  WholeGeneState* table_;
};

// Which genes are in any set: a bit a gene in shared memory for the window, so that most values cost no look into global memory.
class SetMembers {
 public:
  static constexpr int n_words(std::uint32_t n_genes) { return static_cast<int>((n_genes + 31) / 32); }
  static constexpr std::size_t bytes(std::uint32_t n_genes) { return static_cast<std::size_t>(n_words(n_genes)) * sizeof(std::uint32_t); }

  QUERN_DEVICE SetMembers(Block& block, std::uint32_t n_genes, const std::uint32_t* gene_sets)
      : words_(block.shared<std::uint32_t>(n_words(n_genes))), n_genes_(n_genes), gene_sets_(gene_sets) {}

  // By all threads; a barrier must follow before the first look.
  QUERN_DEVICE void fill(const Warp& warp) const {
    for (int w = warp.index(); w < n_words(n_genes_); w += warp.count()) {
      const std::uint32_t gene = static_cast<std::uint32_t>(w * warp_size + warp.lane());
      const std::uint32_t bits = warp.ballot(gene < n_genes_ && load(gene_sets_, gene) != 0);
      if (warp.lane() == 0) words_.set(w, bits);
    }
  }
  QUERN_DEVICE std::uint32_t of(std::uint32_t gene) const {
    if (gene < n_genes_ && !(words_.get(static_cast<int>(gene / 32)) >> gene % 32 & 1)) return 0;
    return load(gene_sets_, gene);
  }

 private:
  Shared<std::uint32_t> words_;
  std::uint32_t n_genes_;
  const std::uint32_t* gene_sets_;
};

}  // namespace quern::cuda
