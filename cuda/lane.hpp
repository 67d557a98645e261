// One chunk's way through a device: a stream with buffers of its own, used by one thread at a time.
#pragma once
#include <span>

#include "cuda/device_memory.hpp"
#include "cuda/lane_stream.hpp"
#include "host/core/backend.hpp"

namespace quern::cuda {

constexpr std::int32_t most_piece_rows = 16384, most_escapes = 16384;

// What a lane needs of page-locked host memory: for the offsets of pieces and for escapes.
struct LaneStaging {
  std::int32_t* offsets;  // most_piece_rows + 1
  Escape* escapes;        // most_escapes
  static constexpr std::size_t bytes = (most_piece_rows + 64) * sizeof(std::int32_t) + most_escapes * sizeof(Escape);
  explicit LaneStaging(std::byte* block)
      : offsets(reinterpret_cast<std::int32_t*>(block)),
        escapes(reinterpret_cast<Escape*>(block + (most_piece_rows + 64) * sizeof(std::int32_t))) {}
};

class Lane {
 public:
  // Buffers for pieces of pass.max_rows rows and pass.max_nnz entries. The device is the current one; it and `memory` outlive the lane.
  // Throws Error: device-memory.
  Lane(int device, const PassSpec& pass, const GeneTables& genes, LaneStaging staging, DeviceMemory& memory);
  static std::size_t device_bytes(const PassSpec& pass);

  // Rows first .. last of the chunk, which fit the buffers: copies, computes, copies the results into `rows`, waits. Nothing of the lane
  // touches the chunk or `rows` after it has returned or thrown. Returns what went over the link.
  CopiedBytes compute(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t first, std::int32_t last, RowBlock& rows);
  void use_device() const { stream_.use_device(); }

 private:
  struct Buffers {
    std::int32_t* offsets;
    std::byte *columns, *values;
    Escape* escapes;
    DeviceRows rows;
    std::byte* scratch;
  };
  static Buffers carve(const PassSpec& pass, Carver& carver);
  DeviceChunk upload(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t first, std::int32_t last);
  void download(std::int32_t first, std::int32_t n_rows, RowBlock& rows);

  PassSpec pass_;
  GeneTables genes_;
  LaneStaging staging_;
  LaneStream stream_;
  DeviceBlock block_;
  Buffers buffers_;
};

}  // namespace quern::cuda
