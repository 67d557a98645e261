// A matrix of any storage as blocks of whole rows, cut to chosen rows and columns.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/sources.hpp"
#include "io/view/number.hpp"

namespace quern::io {

struct Entry {
  std::int64_t column = 0;  // of the matrix, after its ColumnMap
  Number value;
};

// Entries of row rows.first + r: entries[offsets[r] .. offsets[r + 1]], columns strictly ascending, duplicates summed, explicit zeros kept
// (a dense matrix has no entries that are zero).
struct MatrixBlock {
  RowRange rows;
  std::vector<std::size_t> offsets;
  std::vector<Entry> entries;
};

// Ranges of numbers: ascending, disjoint, not empty.
using Ranges = std::vector<RowRange>;
std::int64_t total_size(const Ranges& ranges);
bool contains(const Ranges& ranges, std::int64_t number);

// Reads what was chosen, once. Touches HDF5; one user at a time.
class MatrixBlocks {
 public:
  virtual ~MatrixBlocks() = default;
  // The next rows in order, never of two ranges at once; false at the end.
  virtual bool next(MatrixBlock& block) = 0;
};

// Claims what it keeps; a block is at most about a quarter of what `budget` has left. `columns` counts after input.columns.
std::unique_ptr<MatrixBlocks> read_matrix(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget);

// One storage each, for read_matrix.
std::unique_ptr<MatrixBlocks> read_csr(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget);
// Null when the chosen columns hold more entries of the chosen rows than the budget lets it collect.
std::unique_ptr<MatrixBlocks> read_csc(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget);
std::unique_ptr<MatrixBlocks> read_dense(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget);
// Walks all chunks of `source` and keeps what was chosen.
std::unique_ptr<MatrixBlocks> read_source(std::unique_ptr<ChunkSource> source, NumberKind kind, const Ranges& rows, const Ranges& columns,
                                          MemoryBudget& budget);

// Sorts the entries of a row by column and sums duplicates in stored order.
void make_row_canonical(std::vector<Entry>& entries, std::size_t first, NumberKind kind);

}  // namespace quern::io
