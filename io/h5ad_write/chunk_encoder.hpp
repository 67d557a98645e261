// Packs one chunk for H5Dwrite_chunk, without HDF5: the counterpart of io/decode.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

#include "io/h5ad_write/compression.hpp"

namespace quern::io {

// One user at a time; make one per thread. Allocates in the constructor only. The packed bytes depend on the input alone.
class ChunkEncoder {
 public:
  // Chunks of at most `chunk_bytes`.
  ChunkEncoder(const Compression& compression, std::size_t chunk_bytes);
  ~ChunkEncoder();
  ChunkEncoder(const ChunkEncoder&) = delete;
  ChunkEncoder& operator=(const ChunkEncoder&) = delete;

  // The most a packed chunk can take, and what the constructor allocates.
  static std::size_t packed_bound(const Compression& compression, std::size_t chunk_bytes);
  static std::size_t scratch_bytes(const Compression& compression, std::size_t chunk_bytes);

  // `chunk` is a whole chunk (the last of a dataset padded by the caller). Returns the bytes used of `packed`, which has
  // packed_bound bytes. Throws Error (internal) when a library fails on valid input.
  std::size_t encode(std::span<const std::byte> chunk, std::size_t element_bytes, std::span<std::byte> packed);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quern::io
