// A dataset of any rank that is written row after row.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/memory.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"
#include "io/h5ad_write/output_file.hpp"

namespace quern::io {

// Contiguous, or in chunks of about 1 MiB where it is packed. Serial.
class RowsOut {
 public:
  // `type` is the file's; `row_dims` are the other dimensions. Claims the chunk it fills.
  RowsOut(const OutputGroup& parent, const std::string& name, hid_t type, std::int64_t n_rows, std::vector<hsize_t> row_dims,
          const Compression& compression, MemoryBudget& budget, int n_parallel = 1);
  void append(std::span<const std::byte> rows);  // whole rows
  // The dataset, still open. internal error when rows are missing.
  OutputDataset finish();
  std::size_t row_bytes() const { return row_bytes_; }

 private:
  std::string path_;
  std::int64_t n_rows_, written_ = 0;
  std::vector<hsize_t> row_dims_;
  std::size_t row_bytes_;
  TypeHandle type_;
  Claim claim_;
  OutputDataset contiguous_;
  std::optional<ChunkAppender> packed_;
};

}  // namespace quern::io
