// One chunk's way through a device when its values are replaced: a stream with buffers of its own, used by one thread at a time.
#pragma once
#include "cuda/device_memory.hpp"
#include "cuda/lane.hpp"
#include "cuda/lane_stream.hpp"
#include "cuda/working_set.hpp"
#include "host/ops/value_map.hpp"

namespace quern::cuda {

// What one pass does with every value.
struct MapPass {
  ValueMap map;
  ValueType out_type = ValueType::f32;
};

class MapLane {
 public:
  // Buffers for pieces of set.max_rows rows and set.max_nnz values, whatever their type. The device is the current one; `memory` outlives
  // the lane. Throws Error: device-memory.
  MapLane(int device, const MapPass& pass, const WorkingSet& set, LaneStaging staging, DeviceMemory& memory);
  void use_device() const { stream_.use_device(); }

  // All values of the chunk, piece by piece; a row may be cut. Nothing of the lane touches the arguments after it has returned or thrown.
  // Returns what went over the link.
  CopiedBytes compute(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, std::byte* out);

 private:
  // Rows first .. last, of which entries begin .. end.
  struct Piece {
    std::int32_t first, last, begin, end;
  };
  struct Buffers {
    std::int32_t* offsets;
    std::byte *values, *out;
    double* divisors;
    Escape* escapes;
  };
  static Buffers carve(const MapPass& pass, const WorkingSet& set, Carver& carver);
  static std::size_t device_bytes(const MapPass& pass, const WorkingSet& set);
  Piece piece_from(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin) const;
  DeviceChunk upload(const CsrChunkView<MemorySpace::host>& chunk, const Piece& piece, const double* divisors);

  MapPass pass_;
  WorkingSet set_;
  LaneStaging staging_;
  LaneStream stream_;
  DeviceBlock block_;
  Buffers buffers_;
};

}  // namespace quern::cuda
