// Owners of HDF5 identifiers. HDF5's C API appears in io/hdf5 and in what io builds on it, nowhere else.
// One thread at a time reads a file with HDF5: metadata before the pipeline starts, then its fetch stage. Another may write another file
// meanwhile: the library locks itself.
#pragma once
#include <hdf5.h>

#ifndef H5_HAVE_THREADSAFE
#error "this HDF5 was built without --enable-threadsafe: reading and writing at the same time would break it"
#endif

#include <string>
#include <utility>

#include "host/core/error.hpp"

namespace quern::io {

// Move-only owner of one identifier; `Close` is H5Fclose, H5Dclose ...
template <herr_t (*Close)(hid_t)>
class Handle {
 public:
  Handle() = default;
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, H5I_INVALID_HID);
    }
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { reset(); }
  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }

 private:
  void reset() noexcept {
    if (id_ >= 0) Close(id_);
    id_ = H5I_INVALID_HID;
  }
  hid_t id_ = H5I_INVALID_HID;
};

using FileHandle = Handle<H5Fclose>;
using GroupHandle = Handle<H5Gclose>;
using ObjectHandle = Handle<H5Oclose>;
using DatasetHandle = Handle<H5Dclose>;
using SpaceHandle = Handle<H5Sclose>;
using TypeHandle = Handle<H5Tclose>;
using AttributeHandle = Handle<H5Aclose>;
using PropertyHandle = Handle<H5Pclose>;

// What HDF5's last call failed of: input_error "corrupt-hdf5", or "newer-hdf5" when it met a version it does not know. Call it before any
// other call of HDF5.
Error hdf5_failure(const std::string& object, const char* doing);

// `id` when it is valid, else hdf5_failure naming `object` and what was being done.
inline hid_t checked(hid_t id, const std::string& object, const char* doing) {
  if (id < 0) throw hdf5_failure(object, doing);
  return id;
}

}  // namespace quern::io
