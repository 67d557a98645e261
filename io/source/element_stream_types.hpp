// The inner types of ElementStream, shared by its source files.
#pragma once
#include "io/source/element_stream.hpp"

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

// Inflates chunks that are larger than a slot.
struct ElementStream::Streamer {
  struct Stored {
    std::int64_t offset = 0, bytes = 0;  // in the file; bytes 0: fill value
  };
  std::vector<Stored> chunks;
  StreamingInflate inflate;
  std::int64_t chunk = -1;
  std::int64_t file_offset = 0, bytes_left = 0;  // stored bytes not yet read
  std::span<std::byte> buffer;
  std::span<const std::byte> unread;  // of buffer
  bool is_fill = false;
};

constexpr std::size_t streaming_buffer_bytes = 256 << 10;
constexpr std::size_t contiguous_block_bytes = 256 << 10;
constexpr std::size_t pieces_alignment = 64;

}  // namespace quern::io
