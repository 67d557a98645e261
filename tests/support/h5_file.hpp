// Writes small HDF5 files in any layout, type and filter; the filters are our own encoders, so none has to be registered.
#pragma once
#include <hdf5.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/hdf5/handles.hpp"

namespace quern::test {

// A path that is removed when its owner goes.
class TemporaryPath {
 public:
  explicit TemporaryPath(const std::string& suffix = ".h5");
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;
  ~TemporaryPath();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What is stored: doubles in row order, converted to `type`.
struct Stored {
  hid_t type = H5T_IEEE_F32LE;
  std::vector<hsize_t> dims;
  std::vector<hsize_t> chunk{};          // empty: contiguous
  std::vector<int> filters{};            // HDF5 numbers: 1, 2, 3, 32000, 32001, 32004, 32015; 5 and 6 (nbit, scale-offset) by HDF5
  bool mask_every_other = false;         // every other chunk is stored unfiltered with its filter mask set
  std::vector<std::size_t> leave_out{};  // numbers of chunks that are not allocated
  double fill = 0;
};

class H5File {
 public:
  explicit H5File(hsize_t user_block = 0);
  void add(const std::string& path, const Stored& how, const std::vector<double>& values);
  void add_group(const std::string& path);
  // Replaces the stored bytes of the chunk at `corner`.
  void replace_chunk(const std::string& path, const std::vector<hsize_t>& corner, const std::vector<std::byte>& stored);
  void close() { file_ = {}; }
  // Closes what was written and opens it again for reading.
  hid_t reopen();
  const std::string& path() const { return temporary_.path(); }

 private:
  TemporaryPath temporary_;
  io::FileHandle file_;
};

hid_t half_type(bool big_endian = false);  // IEEE half, lives until the program ends
hid_t bool_type();                         // numpy's bool as h5py stores it

}  // namespace quern::test
