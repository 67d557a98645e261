// The inner types of ElementStream, shared by its source files.
#pragma once
#include "io/source/element_stream.hpp"
#include "io/source/stored_chunk_stream.hpp"

namespace quern::io {

// A part of one stored chunk that one slot needs.
struct ElementStream::Piece {
  std::int64_t chunk = 0;
  std::size_t from = 0, n = 0, at = 0;  // first element in the chunk, elements, place in the slot
  std::size_t staged_at = 0, stored_bytes = 0;
  std::uint32_t filter_mask = 0;
  SharedChunk* shared = nullptr;  // decoded there, else from the slot's staging; neither stored nor shared: fill value
};

class ElementStream::Pending {
 public:
  Range range;
  std::vector<Piece> pieces;
  std::unique_ptr<ChunkDecoder> decoder;
};

struct ElementStream::SharedChunk {
  std::int64_t chunk = -1;
  std::atomic<int> users{0};  // slots in flight, and the carry
  std::span<std::byte> raw, stored;
  std::size_t stored_bytes = 0;
  std::uint32_t filter_mask = 0;
  std::mutex mutex;
  bool decoded = false;
};

// Inflates chunks that are larger than a slot, one after the other.
struct ElementStream::Streamer {
  Streamer(const RawDataset& dataset, FileBytes& file) : stream(dataset, file) {}
  StoredChunkStream stream;
  std::vector<StoredChunkStream::Place> places;
};

constexpr std::size_t contiguous_block_bytes = 256 << 10;

}  // namespace quern::io
