// The stored chunks of one array of a matrix, copied as they are while the matrix is read and checked.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/core/memory.hpp"
#include "io/file_info.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/raw_dataset.hpp"

namespace quern::io {

// The stored chunks cannot stay as they are after all: the matrix is to be written again with new ones.
class NeedsNewIndices : public std::exception {
 public:
  const char* what() const noexcept override { return "the entries have to be written anew"; }
};

// Serial. That the indices are in order and everything can be decoded is for the caller to find out, who reads it anyway.
class ChunkCopy {
 public:
  // Whether every reader can use an array of `matrix` (CSR) as it is stored: packed by gzip alone (or after shuffle) in chunks of 16 KiB
  // to 4 MiB; little-endian; indices: signed integers of the width that the matrix needs; data: not of 16-bit floats.
  static bool can_copy_indices(hid_t file, const MatrixInfo& matrix);
  static bool can_copy_data(hid_t file, const MatrixInfo& matrix);
  // Makes the dataset `name` of type `type` in `to`. Claims the room for one stored chunk.
  ChunkCopy(hid_t file, const StoredArray& array, const std::string& name, hid_t type, const OutputGroup& to, MemoryBudget& budget);

  // Called after each chunk is copied, with the elements that have then been copied (or room for them).
  void after_chunk(std::function<void(std::int64_t elements)> call) { after_chunk_ = std::move(call); }
  // Copies the chunks that begin before element `end`. Throws NeedsNewIndices for a chunk that cannot be copied.
  void copy_until(std::int64_t end);
  void copy_rest() { copy_until(made_->shape().length); }
  void close() { made_->close(); }

 private:
  RawDataset stored_;
  Claim claim_;
  std::vector<std::byte> buffer_;
  std::optional<ChunkedDataset> made_;
  std::function<void(std::int64_t)> after_chunk_;
  std::int64_t next_chunk_ = 0;
};

// Whether column indices and row pointers of such a matrix need 64 bits.
bool needs_wide_indices(std::int64_t rows, std::int64_t cols, std::int64_t nnz);

}  // namespace quern::io
