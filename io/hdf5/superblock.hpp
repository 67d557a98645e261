// The first bytes of an HDF5 file, read without HDF5.
#pragma once
#include <cstdint>
#include <string>

namespace quern::io {

// Where the HDF5 signature is (0, 512, 1024 ... : a user block may stand before it); -1 when the file has none.
std::int64_t find_superblock(const std::string& path);

// Throws input_error "not-hdf5" when there is no signature, "truncated" when the file is shorter than its superblock says.
void check_superblock(const std::string& path);

}  // namespace quern::io
