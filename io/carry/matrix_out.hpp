// X as CSR with new values (or new rows), streamed into an output file.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/carry/sparse_out.hpp"
#include "io/file_info.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

struct MatrixOutOptions {
  ValueType value_type = ValueType::f32;
  Compression compression;
  int threads = 1;
  // The matrix whose indices are kept: copied as they are stored, where they can be. Null: written anew.
  const Hdf5File* from = nullptr;
  const MatrixInfo* matrix = nullptr;
  bool keeps_data = false;        // its values stay the same, too, and so do their stored chunks, where they can
  std::string stored_type = {};   // of the values, as numpy calls it; empty: that of value_type
  std::int64_t chunk_length = 0;  // entries of a stored chunk; 0: about 1 MiB of them
};

// The group "X" (or another) with its three arrays. Serial; the calls may come from another thread than those that read the input (HDF5 is
// built thread-safe). What is written depends on the rows and these options but for `threads`.
class MatrixOut {
 public:
  // `shape.nnz` is an upper bound. Claims its buffers: a quarter of what is left, or the least it can do with.
  MatrixOut(const OutputFile& to, const MatrixShape& shape, const MatrixOutOptions& options, MemoryBudget& budget);
  MatrixOut(const OutputGroup& to, const std::string& name, const MatrixShape& shape, const MatrixOutOptions& options,
            MemoryBudget& budget);
  // What it claims at most.
  static std::size_t memory_bytes(const MatrixShape& shape, const MatrixOutOptions& options, const MemoryBudget& budget);
  bool copies() const { return copies_; }            // the indices, as they are stored
  bool copies_data() const { return copies_data_; }  // the same
  const ElementType& value_type() const { return value_type_; }
  // All rows of a chunk, with values of the stored type. Throws NeedsNewIndices: give up and write all again without `from`.
  void append(const ChunkBuffer& chunk, std::span<const std::byte> values) { out_->append(chunk, values); }
  // The next rows, where not all of a chunk is written.
  void append(std::span<const std::int32_t> offsets, std::span<const std::uint32_t> columns, std::span<const std::byte> values) {
    out_->append(offsets, columns, values);
  }
  void write_full() { out_->write_full(); }  // as SparseOut's
  void finish();
  void give_up();
  std::int64_t nnz() const { return out_->nnz(); }

 private:
  MatrixOut(OutputGroup group, const MatrixShape& shape, const MatrixOutOptions& options, MemoryBudget& budget);
  OutputGroup group_;
  bool copies_ = false, copies_data_ = false;
  ElementType value_type_;
  std::unique_ptr<SparseOut> out_;
};

}  // namespace quern::io
