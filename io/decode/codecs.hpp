// The single steps of a filter pipeline, each without state of its own. A decoder writes at most out.size() bytes and returns how many;
// `undecodable` when the input is not exactly one valid stream (trailing bytes included) or does not fit.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace quern::io {

inline constexpr std::size_t undecodable = static_cast<std::size_t>(-1);

// Marc Lehmann's LZF as h5py stores it: the bare token stream.
std::size_t decode_lzf(std::span<const std::byte> in, std::span<std::byte> out);

// HDF5's LZ4 filter: total size (8 bytes, big-endian), block size (4), then per block its stored size (4) and bytes.
std::size_t decode_lz4(std::span<const std::byte> in, std::span<std::byte> out);

// A c-blosc 1 buffer. Allocates a few blocks inside the library.
std::size_t decode_blosc(std::span<const std::byte> in, std::span<std::byte> out);

// Undoes HDF5's shuffle: plane k of `in` holds byte k of every element; bytes past the last whole element follow as they are.
// in and out are of the same size and do not overlap.
void unshuffle(std::span<const std::byte> in, std::span<std::byte> out, std::size_t element_bytes);

// HDF5's Fletcher-32: 16-bit big-endian words, an odd last byte counts as the high one.
std::uint32_t fletcher32(std::span<const std::byte> data);

// `stored` as it stands in the last four bytes: HDF5 also accepts the byte-swapped halves that releases before 1.6.3 wrote.
bool fletcher32_matches(std::span<const std::byte> data, std::uint32_t stored);

}  // namespace quern::io
