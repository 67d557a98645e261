#include "cuda/map_lane.hpp"

#include <algorithm>

#include "cuda/kernels/launches.hpp"
#include "cuda/wire.hpp"

namespace quern::cuda {

MapLane::Buffers MapLane::carve(const MapPass& pass, const WorkingSet& set, Carver& carver) {
  const auto n_rows = static_cast<std::size_t>(set.max_rows), nnz = static_cast<std::size_t>(set.max_nnz);
  Buffers buffers{};
  buffers.offsets = carver.take<std::int32_t>(n_rows + 1);
  buffers.values = carver.take<std::byte>(nnz * sizeof(double));
  buffers.out = carver.take<std::byte>(nnz * size_of(pass.out_type));
  buffers.divisors = carver.take<double>(n_rows);
  buffers.escapes = carver.take<Escape>(most_escapes);
  return buffers;
}

std::size_t MapLane::device_bytes(const MapPass& pass, const WorkingSet& set) {
  Carver carver(nullptr);
  carve(pass, set, carver);
  return carver.used();
}

MapLane::MapLane(int device, const MapPass& pass, const WorkingSet& set, LaneStaging staging, DeviceMemory& memory)
    : pass_(pass), set_(set), staging_(staging), stream_(device, memory.device()), block_(memory, device_bytes(pass, set), stream_.get()) {
  Carver carver(block_.data());
  buffers_ = carve(pass, set, carver);
}

MapLane::Piece MapLane::piece_from(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin) const {
  const std::int32_t* offsets = chunk.offsets;
  const std::int32_t* const offsets_end = offsets + chunk.n_rows + 1;
  const auto first = static_cast<std::int32_t>(std::upper_bound(offsets, offsets_end, begin) - offsets) - 1;
  std::int32_t end = begin + std::min(chunk.nnz() - begin, set_.max_nnz);
  auto last = static_cast<std::int32_t>(std::lower_bound(offsets, offsets_end, end) - offsets);
  last = std::min(last, first + std::min(chunk.n_rows - first, set_.max_rows));
  end = std::min(end, offsets[last]);
  return {first, last, begin, end};
}

DeviceChunk MapLane::upload(const CsrChunkView<MemorySpace::host>& chunk, const Piece& piece, const double* divisors) {
  // Bytes would not tell a zero's sign.
  const bool narrows = chunk.facts.whole && !chunk.facts.has_zero;
  const Wire wire = make_value_wire(chunk, piece.begin, piece.end, narrows, {staging_.escapes, most_escapes});
  const std::int32_t n_rows = piece.last - piece.first;
  for (std::int32_t r = 0; r <= n_rows; ++r)
    staging_.offsets[r] = std::clamp(chunk.offsets[piece.first + r], piece.begin, piece.end) - piece.begin;
  const auto rows = static_cast<std::size_t>(n_rows), count = static_cast<std::size_t>(piece.end - piece.begin);
  stream_.copy(buffers_.offsets, staging_.offsets, (rows + 1) * sizeof(std::int32_t), CopyTo::device);
  stream_.copy(buffers_.divisors, divisors + piece.first, rows * sizeof(double), CopyTo::device);
  stream_.copy(buffers_.values, wire.values, count * size_of(wire.value_code), CopyTo::device);
  stream_.copy(buffers_.escapes, staging_.escapes, static_cast<std::size_t>(wire.n_escapes) * sizeof(Escape), CopyTo::device);
  DeviceChunk result;
  result.n_rows = n_rows;
  result.nnz = piece.end - piece.begin;
  result.n_escapes = wire.n_escapes;
  result.value_code = wire.value_code;
  result.offsets = buffers_.offsets;
  result.values = buffers_.values;
  result.escapes = buffers_.escapes;
  return result;
}

CopiedBytes MapLane::compute(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, std::byte* out) {
  CopiedBytes copied;
  for (std::int32_t begin = 0; begin < chunk.nnz();) {
    const Piece piece = piece_from(chunk, begin);
    const std::size_t width = size_of(pass_.out_type), count = static_cast<std::size_t>(piece.end - piece.begin);
    const CopiedBytes of_piece = stream_.run([&] {
      const MapJob job{upload(chunk, piece, divisors), buffers_.divisors, pass_.map, pass_.out_type, buffers_.out};
      launch_map_values(job, stream_.get());
      stream_.check_launches();
      stream_.copy(out + static_cast<std::size_t>(begin) * width, buffers_.out, count * width, CopyTo::host);
    });
    copied.to_device += of_piece.to_device;
    copied.to_host += of_piece.to_host;
    begin = piece.end;
  }
  return copied;
}

}  // namespace quern::cuda
