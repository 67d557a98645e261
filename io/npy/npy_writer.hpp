// A matrix on its way into a NumPy file: beside its target under another name until it is complete.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/npy/npy_header.hpp"
#include "io/safe_file.hpp"

namespace quern::io {

// Little-endian, C order; NumPy maps it into memory as it is. Serial. Keeps nothing.
class NpyWriter {
 public:
  // Throws what SafeFile throws, and output_error("disk-full") when the disk has not room for all of it.
  NpyWriter(const std::string& target, const OutputOptions& options, ValueType type, std::vector<std::int64_t> shape);
  // The next values, in C order, of the file's type.
  void append(std::span<const float> values);
  void append(std::span<const double> values);
  void restart();  // forgets what was appended
  // Syncs and renames. internal error("wrong-length") when values are missing.
  void commit();
  const std::vector<Warning>& warnings() const { return file_.warnings(); }
  std::int64_t file_bytes() const { return head_bytes_ + data_bytes_; }

 private:
  void append_bytes(std::span<const std::byte> bytes, ValueType type);
  void write_head();
  std::string target_;
  SafeFile file_;
  ValueType type_;
  std::vector<std::int64_t> shape_;
  std::int64_t head_bytes_ = 0, data_bytes_, written_ = 0;
};

}  // namespace quern::io
