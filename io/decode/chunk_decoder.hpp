// Undoes an HDF5 filter pipeline on one stored chunk, without HDF5.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/decode/filter_id.hpp"

namespace quern::io {

// HDF5's registered filter numbers.
struct FilterStep {
  int id = 0;
  std::vector<unsigned> params;  // cd_values
};

struct FilterPipeline {
  std::vector<FilterStep> steps;  // in the order they were applied when writing
  std::size_t element_bytes = 1;
  std::size_t chunk_bytes = 0;  // of a whole decoded chunk
};

// true when every step can be undone in this process.
bool can_decode(const FilterPipeline& pipeline);

// One user at a time (keeps a decompressor and scratch); make one per slot. Allocates only in the constructor.
class ChunkDecoder {
 public:
  explicit ChunkDecoder(const FilterPipeline& pipeline);
  ~ChunkDecoder();
  ChunkDecoder(const ChunkDecoder&) = delete;
  ChunkDecoder& operator=(const ChunkDecoder&) = delete;

  // Bytes the constructor allocates, for the budget.
  static std::size_t scratch_bytes(const FilterPipeline& pipeline);
  // `out` has chunk_bytes. filter_mask: bit i set = step i was not applied to this chunk. Throws input_error("corrupt-chunk") when the
  // stored bytes do not decode to exactly chunk_bytes (`object` names the dataset in the message), "bad-checksum" for fletcher32.
  void decode(std::span<const std::byte> stored, std::uint32_t filter_mask, std::span<std::byte> out, const std::string& object);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Inflates one deflate chunk in pieces, for chunks larger than a slot.
class StreamingInflate {
 public:
  StreamingInflate();
  ~StreamingInflate();
  StreamingInflate(const StreamingInflate&) = delete;
  StreamingInflate& operator=(const StreamingInflate&) = delete;
  void restart();
  // Consumes from `in` (advancing it) and fills `out` as far as the input allows; returns bytes written. Throws as decode does.
  std::size_t read(std::span<const std::byte>& in, std::span<std::byte> out, const std::string& object);
  // After the last wanted byte: `in` must hold the rest of the stream (its checksum) and nothing else; throws as decode does.
  void finish(std::span<const std::byte> in, const std::string& object);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quern::io
