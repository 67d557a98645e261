// A piece of a chunk's way through a device when it is multiplied: a stream with buffers of its own, used by one thread at a time.
#pragma once
#include "cuda/device_memory.hpp"
#include "cuda/kernels/product_args.hpp"
#include "cuda/lane.hpp"
#include "cuda/lane_stream.hpp"
#include "cuda/working_set.hpp"
#include "host/ops/product.hpp"

namespace quern::cuda {

// What is the same for all chunks of a pass.
struct ProductPass {
  ProductSpec spec;
  std::int64_t n_genes = 0;
  const void* b = nullptr;  // not transposed: all of B, on this device
  double* sums = nullptr;   // transposed: of all genes, on this device
};

class ProductLane {
 public:
  // Buffers for pieces of set.max_rows rows and set.max_nnz entries. The device is the current one; `memory` outlives the lane. Throws
  // Error: device-memory.
  ProductLane(int device, const ProductPass& pass, const WorkingSet& set, LaneStaging staging, DeviceMemory& memory);
  void use_device() const { stream_.use_device(); }

  // The chunk's rows of the result, piece by piece; a row may be cut. Nothing of the lane touches the arguments after it has returned or
  // thrown. Returns what went over the link.
  CopiedBytes multiply(const CsrChunkView<MemorySpace::host>& chunk, double* rows);
  // Adds the chunk to pass.sums. Returns when it is added.
  CopiedBytes fold(const CsrChunkView<MemorySpace::host>& chunk);
  // For what is not a chunk: B on its way in, sums on their way out.
  LaneStream& stream() { return stream_; }

 private:
  // Rows first .. last, of which entries begin .. end.
  struct Piece {
    std::int32_t first, last, begin, end;
    std::size_t n_rows() const { return static_cast<std::size_t>(last - first); }
  };
  struct Buffers {
    std::int32_t* offsets;
    std::byte *columns, *values, *factor;  // factor: the rows of B that a piece meets, where it is transposed
    double* rows;                          // of the result, where it is not
    Escape* escapes;
  };
  static Buffers carve(const ProductPass& pass, const WorkingSet& set, Carver& carver);
  static std::size_t device_bytes(const ProductPass& pass, const WorkingSet& set);
  Piece piece_from(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t first, std::int32_t begin) const;
  DeviceChunk upload(const CsrChunkView<MemorySpace::host>& chunk, const Piece& piece);
  template <class Compute>
  CopiedBytes for_each_piece(const CsrChunkView<MemorySpace::host>& chunk, const Compute& compute);

  ProductPass pass_;
  WorkingSet set_;
  LaneStaging staging_;
  LaneStream stream_;
  DeviceBlock block_;
  Buffers buffers_;
};

}  // namespace quern::cuda
