// A 10x file of Cell Ranger 3 and later on its way out.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/carry/sparse_out.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/input.hpp"

namespace quern::io {

struct TenxOutOptions {
  Compression compression;
  std::int64_t chunk_length = 0;  // 0: Cell Ranger's
  int threads = 1;
  std::string writer, library;  // attributes of the file: who wrote it, what it was made of
};

// The group "matrix": data int32, indices and indptr int64, genes by cells as Cell Ranger has them, barcodes, features. Serial.
class TenxOut {
 public:
  // `shape` (cells by genes) .nnz is an upper bound. Claims its buffers.
  TenxOut(const OutputFile& to, const MatrixShape& shape, const TenxOutOptions& options, MemoryBudget& budget);
  static std::size_t memory_bytes(const MatrixShape& shape, const TenxOutOptions& options, const MemoryBudget& budget);
  const ElementType& value_type() const { return value_type_; }
  void append(const ChunkBuffer& chunk, std::span<const std::byte> values) { out_->append(chunk, values); }
  void write_full() { out_->write_full(); }  // as SparseOut's
  void finish();                             // of the matrix
  void give_up();
  // After finish: names, features, attributes. Returns how many names hold characters beyond ASCII, written as XML's references as
  // Cell Ranger does. Throws what reading the input throws.
  std::int64_t write_names(Input& input, const OutputFile& to);

 private:
  std::int64_t write_features(Input& input);
  // A list of fixed-length texts.
  std::int64_t write_list(const OutputGroup& to, const std::string& name, NameSource& texts);
  MatrixShape shape_;
  TenxOutOptions options_;
  MemoryBudget& budget_;
  OutputGroup group_;
  ElementType value_type_;
  std::unique_ptr<SparseOut> out_;
};

}  // namespace quern::io
