// The inner loops of a sparse matrix times a dense one, for every vector width; in the order that host/ops/product.hpp names.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/ops/product.hpp"

namespace quern {

// Rows of the chunk times B: n_rows x b.n_cols to `out`.
void multiply_rows(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, double* out);

struct GeneRange {
  std::uint32_t first = 0, last = 0;
};
struct ColumnRange {  // of B
  std::size_t first = 0, n = 0;
};
// Sums of gene g begin at values[g * stride].
struct SumsView {
  double* values = nullptr;
  std::size_t stride = 0;  // a multiple of 8, not less than the number of columns: what is between them means nothing
};
// Adds to the sums of each gene of `range` what the chunk's values of it are worth with these columns of B; row r of the chunk meets row
// first_row + r of B. Nothing beyond the range's sums is read or written.
void add_to_genes(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, ColumnRange columns, GeneRange range,
                  const SumsView& sums);

// The same code for one vector width.
struct SparseRowsTarget {
  const char* name;
  void (*multiply)(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, double* out);
  void (*add)(const CsrChunkView<MemorySpace::host>& chunk, const DenseView& b, ColumnRange columns, GeneRange range, const SumsView& sums);
};
// Those that this processor has, the widest first (which is what the functions above use); never empty.
const std::vector<SparseRowsTarget>& sparse_rows_targets();

}  // namespace quern
