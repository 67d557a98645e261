// HDF5's filters by number and by name.
#pragma once
#include <string>

namespace quern::io {

// Those that we undo ourselves; the large numbers are registered with The HDF Group.
enum class FilterId : int { deflate = 1, shuffle = 2, fletcher32 = 3, lzf = 32000, blosc = 32001, lz4 = 32004, zstd = 32015 };

// "gzip", "zstd" ..., also of well-known filters that we do not undo; else the number.
std::string filter_name(int id);

}  // namespace quern::io
