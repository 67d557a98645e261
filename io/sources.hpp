// Makes the ChunkSource of a matrix from where it is stored. One function a storage.
#pragma once
#include <hdf5.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "io/file_info.hpp"

namespace quern::io {

// Which genes are kept and what becomes of their numbers. Empty `to`: all, as they are.
struct ColumnMap {
  std::vector<std::int32_t> to;  // stored column -> column of the result, -1: left out
  std::int64_t n_kept = 0;       // columns of the result when `to` is not empty
};

struct MatrixInput {
  hid_t file = H5I_INVALID_HID;  // open for as long as the source lives; not used for mtx
  std::string path;              // the file on disk (contiguous data are read with pread)
  MatrixInfo matrix;
  ColumnMap columns;
  std::string tmp_dir;  // for what does not fit the budget
  int threads = 1;
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler; long work before the first chunk looks at it (Interrupted)
};

// Claims from `budget` what it keeps (row pointers, the transposed matrix ...).
std::unique_ptr<ChunkSource> make_csr_source(const MatrixInput& input, MemoryBudget& budget);
std::unique_ptr<ChunkSource> make_csc_source(const MatrixInput& input, MemoryBudget& budget);
std::unique_ptr<ChunkSource> make_dense_source(const MatrixInput& input, MemoryBudget& budget);
std::unique_ptr<ChunkSource> make_mtx_source(const MatrixInput& input, MemoryBudget& budget);

}  // namespace quern::io
