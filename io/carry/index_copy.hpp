// The stored chunks of a matrix's column indices, copied as they are beside values that are written anew.
#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <vector>

#include "host/core/memory.hpp"
#include "io/file_info.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/raw_dataset.hpp"

namespace quern::io {

// The indices cannot stay as they are stored after all: the matrix is to be written again with new ones.
class NeedsNewIndices : public std::exception {
 public:
  const char* what() const noexcept override { return "the column indices have to be written anew"; }
};

// Serial. That the indices are in order, in range and decodable is for the caller to find out, who reads them anyway.
class IndexCopy {
 public:
  // Whether every reader can use the indices of `matrix` (CSR) as they are stored: signed integers of the width that the matrix needs,
  // packed by gzip alone (or after shuffle) in chunks of 16 KiB to 4 MiB.
  static bool is_possible(hid_t file, const MatrixInfo& matrix);
  // Makes the dataset "indices" in `to`. Claims the room for one stored chunk.
  IndexCopy(hid_t file, const MatrixInfo& matrix, const OutputGroup& to, MemoryBudget& budget);

  // Copies the chunks that begin before entry `end`. Throws NeedsNewIndices for a chunk that cannot be copied.
  void copy_until(std::int64_t end);
  void finish();                    // the rest; closes
  void close() { made_->close(); }  // of a copy that is given up

 private:
  RawDataset stored_;
  Claim claim_;
  std::vector<std::byte> buffer_;
  std::optional<ChunkedDataset> made_;
  std::int64_t next_chunk_ = 0;
};

// Whether column indices and row pointers of such a matrix need 64 bits.
bool needs_wide_indices(std::int64_t rows, std::int64_t cols, std::int64_t nnz);

}  // namespace quern::io
