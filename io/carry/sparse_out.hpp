// The three arrays of a CSR matrix, row after row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/carry/chunk_copy.hpp"
#include "io/carry/value_encoding.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/types.hpp"

namespace quern::io {

// How the arrays are written, and what of them is copied from elsewhere instead (made in the same group).
struct SparseOutOptions {
  Compression compression;
  std::int64_t chunk_length = 0;  // entries of a stored chunk; 0: the usual number
  std::unique_ptr<ChunkCopy> data = {}, indices = {};
  bool wide = false;  // indices of 64 bits whatever the size
};

// data, indices and indptr in `group`, in chunks of about 1 MiB whatever the pieces they come in. Indices are of 32 bits where shape.nnz
// (an upper bound) and both dimensions allow it. Serial; packs several chunks at a time. The bytes written depend on the rows alone.
class SparseOut {
 public:
  // `value_type`: the file's type of the values, little-endian, of 8 to 64 bits. Claims its buffers and 8 bytes a row.
  SparseOut(const OutputGroup& group, const MatrixShape& shape, hid_t value_type, SparseOutOptions options, MemoryBudget& budget,
            int n_parallel);
  SparseOut(const SparseOut&) = delete;
  SparseOut& operator=(const SparseOut&) = delete;
  // What one more chunk in flight claims. chunk_length as in SparseOutOptions.
  static std::size_t bytes_each_parallel(std::size_t value_bytes, const Compression& compression, std::int64_t chunk_length = 0);
  // Chunks to pack at a time: two a thread as far as a quarter of what is left of the budget goes, at least one.
  static int affordable_parallel(std::size_t value_bytes, const Compression& compression, std::int64_t chunk_length, int threads,
                                 const MemoryBudget& budget);

  // The next rows: where each begins (from 0) and the last ends, their columns, their values of the file's type.
  void append(std::span<const std::int32_t> offsets, std::span<const std::uint32_t> columns, std::span<const std::byte> values);
  // All rows of a chunk with values of the file's type (not looked at where data is copied). Throws NeedsNewIndices when what is copied
  // is not what the chunk holds.
  void append(const ChunkBuffer& chunk, std::span<const std::byte> values);
  // Packs and writes what is full. The only call that may run beside append(), which does the same when it finds no more room.
  void write_full();
  void finish();   // writes indptr; closes. internal error when rows are missing
  void give_up();  // closes what is open, unfinished
  std::int64_t nnz() const { return pointers_.back(); }

 private:
  ChunkAppender make_appender(const char* name, hid_t type, std::size_t type_bytes, const Compression& compression, MemoryBudget& budget,
                              int n_parallel);
  void append_pointers(std::span<const std::int32_t> offsets);
  void fill_columns(std::span<const std::uint32_t> columns);
  std::vector<ChunkAppender*> made();  // the arrays that are not copied
  void append_entries(std::span<const std::uint32_t> columns, std::span<const std::byte> values);
  const OutputGroup& group_;
  MatrixShape shape_;
  SparseOutOptions options_;
  bool wide_;
  ElementType value_type_;
  std::vector<Claim> claims_;
  std::optional<ChunkAppender> data_, indices_;  // those that are not copied
  std::vector<std::int64_t> pointers_;
};

}  // namespace quern::io
