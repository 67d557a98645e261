// A block of rows, taken apart for products of genes with genes: genes that many of its rows have, in dense panels; the others, by row and
// by gene.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"

namespace quern {

class GramBlock {
 public:
  static constexpr std::int64_t panel_width = 128;
  // A gene is dense where more than one in `dense_share` rows has it. Measured: a dense product costs a fifteenth of a sparse one.
  static constexpr std::int64_t dense_share = 5;

  GramBlock(std::int64_t n_genes, std::int64_t most_rows, MemoryBudget& budget);
  static std::size_t bytes(std::int64_t n_genes, std::int64_t most_rows);

  // At most most_rows rows whose columns are genes; in parallel. What was there before is gone. Adds the values of each gene to `sums`.
  void split(const CsrChunkView<MemorySpace::host>& rows, std::span<double> sums);

  std::int64_t n_rows() const { return n_rows_; }
  std::span<const std::uint32_t> dense_genes() const { return dense_; }  // ascending
  std::span<const std::uint32_t> sparse_genes() const { return sparse_; }
  std::int64_t n_panels() const { return (static_cast<std::int64_t>(dense_.size()) + panel_width - 1) / panel_width; }
  // n_rows x panel_width values of dense genes panel * panel_width and on; zeros beyond the last gene.
  const double* panel(std::int64_t panel) const { return panels_ + panel * n_rows_ * panel_width; }

  // The entries of a sparse gene, by rows: where each is among the sparse entries, and the start of its row in a panel.
  std::span<const std::uint32_t> places_of(std::size_t sparse) const { return by_gene(places_, sparse); }
  std::span<const std::uint32_t> rows_of(std::size_t sparse) const { return by_gene(panel_rows_, sparse); }
  // Sparse entries; those of a row ascend and end at row_end(its place in a panel / panel_width).
  const std::uint32_t* genes() const { return genes_; }
  const double* values() const { return values_; }
  std::uint32_t row_end(std::uint32_t row) const { return row_ends_[row]; }

 private:
  void count(const CsrChunkView<MemorySpace::host>& rows, std::span<double> sums);
  void choose();
  template <class V>
  void take_row(const CsrChunkView<MemorySpace::host>& rows, std::int32_t row);
  void sort_by_gene(const CsrChunkView<MemorySpace::host>& rows);
  std::span<const std::uint32_t> by_gene(const std::uint32_t* what, std::size_t sparse) const {
    return {what + starts_[sparse], starts_[sparse + 1] - starts_[sparse]};
  }
  std::int64_t n_rows_ = 0;
  HostBlock block_;
  double *panels_ = nullptr, *values_ = nullptr;
  std::uint32_t *genes_ = nullptr, *places_ = nullptr, *panel_rows_ = nullptr;
  std::vector<std::uint32_t> counts_, index_, dense_, sparse_, starts_, next_, row_ends_, row_starts_;
  std::vector<std::uint8_t> is_dense_;
};

}  // namespace quern
