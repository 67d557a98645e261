#include "io/hdf5/handles.hpp"

#include <cstring>

namespace quern::io {
namespace {

herr_t look_for_version(unsigned, const H5E_error2_t* entry, void* found) {
  if (entry->desc != nullptr && std::strstr(entry->desc, "version number") != nullptr) *static_cast<bool*>(found) = true;
  return 0;
}

}  // namespace

Error hdf5_failure(const std::string& object, const char* doing) {
  bool newer = false;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look_for_version, &newer);
  if (newer)
    return input_error("newer-hdf5", object, std::string("HDF5 could not ") + doing + ": its format is newer than HDF5 1.10's, or damaged",
                       "write the file again with libver 'earliest'");
  return input_error("corrupt-hdf5", object, std::string("HDF5 could not ") + doing, "check the file with `quern check`");
}

}  // namespace quern::io
