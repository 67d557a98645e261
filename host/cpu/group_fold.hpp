// Sums of each gene over groups of cells, in one table whose bits depend on nothing but the matrix and the groups.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/backend.hpp"
#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"
#include "host/ops/double_double.hpp"
#include "host/ops/gene_states.hpp"

namespace quern {

struct GroupWants {
  bool sums = false, squares = false;  // of the values
  bool nonzero = false;                // cells whose value is not 0 (NaN counts)
  bool positive = false;               // cells whose value is above 0
};

// Chunks are added by one caller at a time, in row order. As long as all values are whole, sums and sums of squares are exact integers;
// from the first chunk with others they go on, from the same numbers, in double-double arithmetic, one cell after the other (each square of
// a 64-bit value is rounded once): so no result depends on chunks or threads. Memory is claimed when it is made: bytes().
class GroupFold {
 public:
  GroupFold(std::int64_t n_groups, std::int64_t n_genes, GroupWants wants, MemoryBudget& budget);
  // 16 bytes a group and gene for sums, 16 for squares, 4 for each count; may saturate.
  static std::size_t bytes(std::int64_t n_groups, std::int64_t n_genes, GroupWants wants);

  void restart();
  // group_of has the group of each row of the chunk, or -1: of no group. Empty: all are of group 0.
  void add(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::int32_t> group_of);

  std::int64_t n_genes() const { return static_cast<std::int64_t>(n_genes_); }
  bool is_whole() const { return whole_; }                 // every value so far was a whole number below 2^31
  Total sum(std::int64_t group, std::int64_t gene) const;  // whole or real, as is_whole says; real: correctly rounded or all but
  double real_sum(std::int64_t group, std::int64_t gene) const;
  std::int64_t nonzero(std::int64_t group, std::int64_t gene) const { return nonzero_[at(group, gene)]; }
  std::int64_t positive(std::int64_t group, std::int64_t gene) const { return positive_[at(group, gene)]; }
  // Over n_cells cells, absent values being 0. var: ddof 1, NaN below two cells; needs squares.
  double mean(std::int64_t group, std::int64_t gene, std::int64_t n_cells) const;
  MeanVar mean_var(std::int64_t group, std::int64_t gene, std::int64_t n_cells) const;

 private:
  union Sum {
    Sum() : whole(0) {}
    int128 whole;
    DoubleDouble real;
  };
  std::size_t at(std::int64_t group, std::int64_t gene) const {
    return static_cast<std::size_t>(group) * n_genes_ + static_cast<std::size_t>(gene);
  }
  template <class V>
  void add_rows(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::int32_t> group_of);
  template <class V>
  void add_whole(const std::uint32_t* columns, const V* values, std::int32_t n, std::size_t base);
  template <class V>
  void add_real(const std::uint32_t* columns, const V* values, std::int32_t n, std::size_t base);
  void become_real();

  std::size_t n_genes_;
  GroupWants wants_;
  Claim claim_;
  bool whole_ = true;
  std::vector<Sum> sums_, squares_;
  std::vector<std::uint32_t> nonzero_, positive_;
};

}  // namespace quern
