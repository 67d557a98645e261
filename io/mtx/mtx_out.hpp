// A matrix directory of Cell Ranger 3 and later on its way out: matrix.mtx.gz, features.tsv.gz, barcodes.tsv.gz.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/input.hpp"
#include "io/mtx/gzip_members.hpp"

namespace quern::io {

struct MtxOutOptions {
  int level = 1;  // of gzip
  int threads = 1;
  ValueType value_type = ValueType::f32;
  bool whole = true;   // values are whole numbers: the file says "integer", else "real"
  std::string writer;  // said in the file's comment
};

// Met a value that is no whole number where whole ones were announced.
class NotWholeNumbers : public std::exception {
 public:
  const char* what() const noexcept override { return "values are not whole numbers"; }
};

// The matrix: features by cells, numbered from 1, cell after cell. Serial; formats and packs several blocks of entries at a time. The bytes
// written depend on the rows alone.
class MtxMatrixOut {
 public:
  // Writes to `descriptor` (of `path`), which it does not own, from its start. Claims its blocks. shape.nnz is what the file says; -1: only
  // counts, and writes nothing.
  MtxMatrixOut(int descriptor, const std::string& path, const MatrixShape& shape, const MtxOutOptions& options, MemoryBudget& budget);
  static std::size_t memory_bytes(const MtxOutOptions& options, const MemoryBudget& budget);
  // All rows of a chunk, whose values are of options.value_type (whatever the chunk says). Throws NotWholeNumbers.
  void append(const ChunkBuffer& chunk);
  // Writes the rest. False: there were not as many entries as the file says.
  bool finish();

 private:
  struct Block {
    std::vector<std::int64_t> rows;
    std::vector<std::uint32_t> columns;
    std::vector<double> values;
    std::string text;
    std::vector<char> packed;
    std::size_t packed_bytes = 0;
    std::unique_ptr<GzipPacker> packer;
  };
  void write_head();
  void flush();
  void format(Block& block) const;
  int descriptor_;
  std::string path_;
  MatrixShape shape_;
  MtxOutOptions options_;
  Claim claim_;
  std::vector<Block> blocks_;
  std::size_t filled_ = 0;  // blocks
  std::int64_t n_entries_ = 0;
};

// A table of text without a header, columns from `columns` side by side. input_error("unfit-name") for a text that holds a tab or the end
// of a line.
void write_tsv(int descriptor, const std::string& path, std::span<NameSource* const> columns, int level, MemoryBudget& budget);

}  // namespace quern::io
