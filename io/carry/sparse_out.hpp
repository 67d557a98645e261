// The three arrays of a CSR matrix, row after row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/types.hpp"

namespace quern::io {

// data, indices and indptr in `group`, in chunks of 1 MiB whatever the pieces they come in. Indices are of 32 bits where shape.nnz (an
// upper bound) and both dimensions allow it. Serial; packs several chunks at a time.
class SparseOut {
 public:
  // `value_type`: the file's type of the values, little-endian, of 8 to 64 bits. Claims its buffers and 8 bytes a row.
  SparseOut(const OutputGroup& group, const MatrixShape& shape, hid_t value_type, const Compression& compression, MemoryBudget& budget,
            int n_parallel);
  // Rows `rows` (of the source) of a chunk whose values are doubles; they become the next rows.
  void append(const ChunkBuffer& chunk, RowRange rows);
  void finish();  // writes indptr; closes. internal error when rows are missing
  std::int64_t nnz() const { return pointers_.back(); }

 private:
  ChunkAppender make_appender(const OutputGroup& group, const char* name, hid_t type, const Compression& compression, MemoryBudget& budget,
                              int n_parallel);
  const OutputGroup& group_;
  MatrixShape shape_;
  bool wide_;
  ElementType value_type_;
  std::vector<Claim> claims_;
  ChunkAppender data_, indices_;
  std::vector<std::int64_t> pointers_;
  std::vector<std::byte> converted_;
};

}  // namespace quern::io
