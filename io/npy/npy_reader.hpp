// A matrix in a NumPy file, read in pieces.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "host/core/chunk_source.hpp"
#include "io/npy/npy_header.hpp"
#include "io/source/file_bytes.hpp"

namespace quern::io {

// An array of one dimension is a matrix of one column. Reading is serial.
class NpyReader {
 public:
  // Throws input_error naming `path`: what parse_npy_header throws, "not-found", "no-permission", "not-a-file", "unreadable", "bad-shape"
  // (no matrix), "truncated" (fewer values than the header tells), "bad-npy" (more bytes than it tells).
  explicit NpyReader(const std::string& path);
  const NpyHeader& header() const { return header_; }
  std::int64_t n_rows() const { return header_.shape[0]; }
  std::int64_t n_cols() const { return header_.shape.size() > 1 ? header_.shape[1] : 1; }
  // Rows `range` as doubles, row after row, whatever type, byte order and order the file has: `out` holds range.size() * n_cols().
  void read(RowRange range, std::span<double> out);

 private:
  static NpyHeader read_header(const std::string& path, FileBytes& bytes);
  void read_run(std::int64_t first_value, std::int64_t n, double* out, std::int64_t stride);
  std::string path_;
  std::unique_ptr<FileBytes> bytes_;
  NpyHeader header_;
};

}  // namespace quern::io
