// Owners of HDF5 identifiers of a file that is being written, and the check of every return.
#pragma once
#include <hdf5.h>

#include <string>
#include <utility>

namespace quern::io {

// Throws output_error("write-failed") naming `object`, what HDF5 was asked to do, and the system's reason where HDF5 kept one.
[[noreturn]] void throw_write_failed(const std::string& object, const char* doing);

// `id` when valid, else throw_write_failed.
inline hid_t made(hid_t id, const std::string& object, const char* doing) {
  if (id < 0) throw_write_failed(object, doing);
  return id;
}
inline void done(herr_t status, const std::string& object, const char* doing) {
  if (status < 0) throw_write_failed(object, doing);
}

// Move-only owner of a file, group, dataset or attribute being written. Whoever opens one closes it with close(), checked. One that
// an exception finds open is abandoned, not closed: after a failed write HDF5 1.10 crashes when it is told to close (the file is
// a temporary one and about to be removed; see OutputFile).
template <herr_t (*Close)(hid_t)>
class WriteHandle {
 public:
  WriteHandle() = default;
  WriteHandle(hid_t id, std::string object) : id_(id), object_(std::move(object)) {}
  WriteHandle(WriteHandle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)), object_(std::move(other.object_)) {}
  WriteHandle& operator=(WriteHandle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(object_, other.object_);
    return *this;
  }
  WriteHandle(const WriteHandle&) = delete;
  WriteHandle& operator=(const WriteHandle&) = delete;
  ~WriteHandle() = default;

  hid_t get() const { return id_; }
  const std::string& object() const { return object_; }  // path inside the file, for messages
  void close() {
    if (id_ >= 0) done(Close(std::exchange(id_, H5I_INVALID_HID)), object_, "close it");
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  std::string object_;
};

using OutputGroup = WriteHandle<H5Gclose>;
using OutputDataset = WriteHandle<H5Dclose>;
using OutputAttribute = WriteHandle<H5Aclose>;

}  // namespace quern::io
