#include "cuda/product_lane.hpp"

#include <algorithm>

#include "cuda/kernels/product_launches.hpp"
#include "cuda/wire.hpp"

namespace quern::cuda {
namespace {

std::size_t width_of(const ProductPass& pass) { return static_cast<std::size_t>(pass.spec.b.n_cols); }

}  // namespace

ProductLane::Buffers ProductLane::carve(const ProductPass& pass, const WorkingSet& set, Carver& carver) {
  const auto n_rows = static_cast<std::size_t>(set.max_rows), nnz = static_cast<std::size_t>(set.max_nnz);
  Buffers buffers{};
  buffers.offsets = carver.take<std::int32_t>(n_rows + 1);
  buffers.columns = carver.take<std::byte>(nnz * sizeof(std::uint32_t));
  buffers.values = carver.take<std::byte>(nnz * sizeof(double));
  buffers.factor = carver.take<std::byte>(pass.spec.transposed ? n_rows * width_of(pass) * size_of(pass.spec.b.type) : 0);
  buffers.rows = carver.take<double>(pass.spec.transposed ? 0 : n_rows * width_of(pass));
  buffers.escapes = carver.take<Escape>(most_escapes);
  return buffers;
}

std::size_t ProductLane::device_bytes(const ProductPass& pass, const WorkingSet& set) {
  Carver carver(nullptr);
  carve(pass, set, carver);
  return carver.used();
}

ProductLane::ProductLane(int device, const ProductPass& pass, const WorkingSet& set, LaneStaging staging, DeviceMemory& memory)
    : pass_(pass), set_(set), staging_(staging), stream_(device, memory.device()), block_(memory, device_bytes(pass, set), stream_.get()) {
  Carver carver(block_.data());
  buffers_ = carve(pass, set, carver);
}

// As many rows as fit, the last one cut where it does not.
ProductLane::Piece ProductLane::piece_from(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t first, std::int32_t begin) const {
  const std::int32_t most_rows = std::min(chunk.n_rows - first, set_.max_rows);
  const std::int32_t end = std::min(chunk.offsets[first + most_rows], begin + std::min(chunk.nnz() - begin, set_.max_nnz));
  const std::int32_t* const offsets = chunk.offsets + first + 1;
  const auto whole_rows = static_cast<std::int32_t>(std::upper_bound(offsets, offsets + most_rows, end) - offsets);
  const bool cuts = whole_rows < most_rows && chunk.offsets[first + whole_rows] < end;
  return {first, first + whole_rows + (cuts ? 1 : 0), begin, end};
}

DeviceChunk ProductLane::upload(const CsrChunkView<MemorySpace::host>& chunk, const Piece& piece) {
  const Wire wire = make_wire(chunk, piece.begin, piece.end, chunk.facts.whole, {staging_.escapes, most_escapes});
  for (std::int32_t r = piece.first; r <= piece.last; ++r)
    staging_.offsets[r - piece.first] = std::clamp(chunk.offsets[r], piece.begin, piece.end) - piece.begin;
  const auto count = static_cast<std::size_t>(piece.end - piece.begin);
  stream_.copy(buffers_.offsets, staging_.offsets, (piece.n_rows() + 1) * sizeof(std::int32_t), CopyTo::device);
  stream_.copy(buffers_.columns, wire.columns, count * size_of(wire.column_code), CopyTo::device);
  stream_.copy(buffers_.values, wire.values, count * size_of(wire.value_code), CopyTo::device);
  stream_.copy(buffers_.escapes, staging_.escapes, static_cast<std::size_t>(wire.n_escapes) * sizeof(Escape), CopyTo::device);
  DeviceChunk result;
  result.n_rows = piece.last - piece.first;
  result.nnz = piece.end - piece.begin;
  result.n_escapes = wire.n_escapes;
  result.n_cols = static_cast<std::uint32_t>(chunk.n_cols);
  result.column_code = wire.column_code;
  result.value_code = wire.value_code;
  result.offsets = buffers_.offsets;
  result.columns = buffers_.columns;
  result.values = buffers_.values;
  result.escapes = buffers_.escapes;
  return result;
}

template <class Compute>
CopiedBytes ProductLane::for_each_piece(const CsrChunkView<MemorySpace::host>& chunk, const Compute& compute) {
  CopiedBytes copied;
  for (std::int32_t row = 0, begin = 0; row < chunk.n_rows;) {
    const Piece piece = piece_from(chunk, row, begin);
    const CopiedBytes of_piece = stream_.run([&] { compute(piece); });
    copied.to_device += of_piece.to_device;
    copied.to_host += of_piece.to_host;
    begin = piece.end;
    row = piece.last;
    if (chunk.offsets[row] > begin) --row;  // the last row goes on
  }
  return copied;
}

CopiedBytes ProductLane::multiply(const CsrChunkView<MemorySpace::host>& chunk, double* rows) {
  const std::size_t row_bytes = width_of(pass_) * sizeof(double);
  return for_each_piece(chunk, [&](const Piece& piece) {
    double* const result = rows + static_cast<std::size_t>(piece.first) * width_of(pass_);
    stream_.clear(buffers_.rows, piece.n_rows() * row_bytes);
    if (piece.begin > chunk.offsets[piece.first]) stream_.copy(buffers_.rows, result, row_bytes, CopyTo::device);
    const DeviceDense b{pass_.b, pass_.spec.b.type, pass_.spec.b.n_rows, pass_.spec.b.n_cols};
    launch_multiply_rows({upload(chunk, piece), b, buffers_.rows}, stream_.get());
    stream_.check_launches();
    stream_.copy(result, buffers_.rows, piece.n_rows() * row_bytes, CopyTo::host);
  });
}

CopiedBytes ProductLane::fold(const CsrChunkView<MemorySpace::host>& chunk) {
  const std::size_t row_bytes = width_of(pass_) * size_of(pass_.spec.b.type);
  return for_each_piece(chunk, [&](const Piece& piece) {
    const auto* const b = static_cast<const std::byte*>(pass_.spec.b.values);
    const auto first = static_cast<std::size_t>(chunk.first_row + piece.first);
    stream_.copy(buffers_.factor, b + first * row_bytes, piece.n_rows() * row_bytes, CopyTo::device);
    const DeviceDense factor{buffers_.factor, pass_.spec.b.type, piece.last - piece.first, pass_.spec.b.n_cols};
    launch_fold_genes({upload(chunk, piece), factor, pass_.sums}, stream_.get());
    stream_.check_launches();
  });
}

}  // namespace quern::cuda
