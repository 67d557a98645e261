// Where HDF5 counts the addresses of stored chunks from.
#pragma once
#include <cstdint>

namespace quern::io {

// What to add to the address that H5Dget_chunk_info_by_coord gives, to have its place in a file with such a user block. HDF5 1.10 counts
// from the end of the user block, later versions from the start of the file (as H5Dget_offset does in all of them). Which it is, the
// library is asked once, by a small file in memory; nothing is asked where there is no user block.
std::int64_t chunk_address_base(std::int64_t user_block_bytes);

}  // namespace quern::io
