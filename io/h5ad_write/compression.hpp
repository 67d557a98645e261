// How the chunks of a dataset are packed: what the user asked for, the HDF5 filters that declare it.
#pragma once
#include <hdf5.h>

#include <string>

namespace quern::io {

enum class Packing { none, gzip, zstd };

struct Compression {
  Packing packing = Packing::none;
  int level = 0;
  bool shuffle = false;
  bool operator==(const Compression&) const = default;
};

// "none", "gzip:1" .. "gzip:9", "zstd:1" .. "zstd:19" ("gzip" = gzip:4, "zstd" = zstd:3), each with ",shuffle" if wanted.
// usage_error("bad-compression").
Compression parse_compression(const std::string& text);
std::string to_string(const Compression& compression);

// Adds the filters to a dataset creation list, in the order ChunkEncoder applies them.
void declare_filters(hid_t creation, const Compression& compression, const std::string& object);

}  // namespace quern::io
