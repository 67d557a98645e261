// Filters that HDF5 does not bring along, for what is read through HDF5 (names, columns of obs); matrices are decoded by io/decode.
#pragma once

namespace quern::io {

// Makes HDF5 read lzf, zstd, lz4 and blosc with the codecs linked into this process (plugins stay off). Reading only. Once a process.
void register_filters();

}  // namespace quern::io
