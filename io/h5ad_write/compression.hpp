// How the chunks of a dataset are packed: what the user asked for, the HDF5 filters that declare it.
#pragma once
#include <hdf5.h>

#include <cstddef>
#include <string>

namespace quern::io {

enum class Packing { none, gzip, lzf, zstd, blosc };

struct Compression {
  Packing packing = Packing::none;
  int level = 0;         // of lzf: none
  bool shuffle = false;  // blosc always shuffles by itself
  bool operator==(const Compression&) const = default;
};

// "none", "gzip:1" .. "gzip:9", "zstd:1" .. "zstd:19", "lzf" ("gzip" = gzip:4, "zstd" = zstd:3), each with ",shuffle" if wanted;
// "blosc:1" .. "blosc:9" ("blosc" = blosc:5): its lz4 after a shuffle of its own.
// usage_error("bad-compression").
Compression parse_compression(const std::string& text);
std::string to_string(const Compression& compression);
// What a reader needs beyond HDF5 itself, in words; empty: nothing.
std::string needs_of_readers(const Compression& compression);

// Adds the filters to a dataset creation list, in the order ChunkEncoder applies them, for chunks of elements of these sizes.
void declare_filters(hid_t creation, const Compression& compression, std::size_t element_bytes, std::size_t chunk_bytes,
                     const std::string& object);

}  // namespace quern::io
