// HDF5 prints its error stack unless told not to, and Debian's build keeps that setting for each thread.
#pragma once
#include <hdf5.h>

namespace quern::io {

// Before HDF5 calls in a thread that may be any of a pool's. Cheap after the first call.
inline void keep_hdf5_quiet() {
  static thread_local const bool quiet = H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr) >= 0;
  static_cast<void>(quiet);
}

}  // namespace quern::io
