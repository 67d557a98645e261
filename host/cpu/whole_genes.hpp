// One thread's gene table of a pass over whole numbers, and the loop that most of a run is spent in: a row into the table.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/backend.hpp"
#include "host/ops/gene_states.hpp"

namespace quern {

// What a row adds up to.
struct RowFold {
  std::int64_t total = 0;
  std::int32_t n_nonzero = 0;
};

// Small non-negative values, which counts are, go into one word a gene (count and sum: one addition in memory a value). The words are
// emptied into wide sums before either part could overflow; a chunk with negative or huge values goes into the wide sums at once.
class WholeGenes {
 public:
  // gene_sets: as OpSpec's; must outlive this.
  WholeGenes(std::span<const std::uint32_t> gene_sets, std::size_t n_genes);

  static constexpr std::size_t bytes_per_gene = sizeof(std::uint64_t) + sizeof(WholeGene);

  template <class V>
  using Fold = RowFold (WholeGenes::*)(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums);

  // How the n_rows rows of a chunk with these facts are to be folded; call once for each chunk, before its rows.
  template <class V>
  Fold<V> fold_for(const ChunkFacts& facts, std::int32_t n_rows);

  WholeGene result(std::size_t gene) const;

 private:
  // A word: bit 63 the gene is in a set (constant), then 23 bits of count, then 40 bits of sum.
  static constexpr int count_bit = 40;
  static constexpr std::uint64_t in_set = std::uint64_t{1} << 63;

  // Neighbouring genes that are in sets, such as the mitochondrial ones at the end of most references: where there are few runs, a row's
  // part of them is looked up instead of asking each value.
  struct Run {
    std::uint32_t first, last;
  };
  void find_runs();
  template <class V>
  void add_runs(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums) const;

  template <class V, bool MayHaveZeros, bool TestSets>
  RowFold fold_packed(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums);
  template <class V>
  RowFold fold_wide(const std::uint32_t* columns, const V* values, std::int32_t n, Total* set_sums);

  bool make_room(const ChunkFacts& facts, std::int32_t n_rows);  // false: values that words do not take
  void empty_words();
  static WholeGene unpacked(std::uint64_t word);

  std::span<const std::uint32_t> gene_sets_;
  std::vector<std::uint64_t> words_;
  std::vector<WholeGene> wide_;
  std::vector<Run> runs_;
  double sum_bound_ = 0;          // of any gene's sum in the words
  std::int64_t rows_packed_ = 0;  // bounds any gene's count there
};

}  // namespace quern
