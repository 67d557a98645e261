#include "cuda/lane.hpp"

#include "cuda/kernels/launches.hpp"
#include "cuda/wire.hpp"

namespace quern::cuda {

Lane::Buffers Lane::carve(const PassSpec& pass, Carver& carver) {
  const auto n_rows = static_cast<std::size_t>(pass.max_rows), nnz = static_cast<std::size_t>(pass.max_nnz);
  Buffers buffers{};
  buffers.offsets = carver.take<std::int32_t>(n_rows + 1);
  buffers.columns = carver.take<std::byte>(nnz * sizeof(std::uint32_t));
  buffers.values = carver.take<std::byte>(nnz * size_of(pass.value_type));
  if (pass.whole) buffers.escapes = carver.take<Escape>(most_escapes);
  buffers.rows.n_nonzero = carver.take<std::int32_t>(n_rows);
  buffers.rows.totals = carver.take<std::uint64_t>(n_rows);
  buffers.rows.top = carver.take<std::uint64_t>(n_rows * static_cast<std::size_t>(pass.n_top));
  buffers.rows.sets = carver.take<std::uint64_t>(n_rows * static_cast<std::size_t>(pass.n_sets));
  buffers.scratch = carver.take<std::byte>(scratch_bytes(pass));
  return buffers;
}

std::size_t Lane::device_bytes(const PassSpec& pass) {
  Carver carver(nullptr);
  carve(pass, carver);
  return carver.used();
}

Lane::Lane(int device, const PassSpec& pass, const GeneTables& genes, LaneStaging staging, DeviceMemory& memory)
    : pass_(pass), genes_(genes), staging_(staging), stream_(device, memory.device()), block_(memory, device_bytes(pass), stream_.get()) {
  Carver carver(block_.data());
  buffers_ = carve(pass, carver);
}

DeviceChunk Lane::upload(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t first, std::int32_t last) {
  const std::int32_t begin = chunk.offsets[first], end = chunk.offsets[last], n_rows = last - first;
  const Wire wire = make_wire(chunk, begin, end, pass_.whole, {staging_.escapes, pass_.whole ? most_escapes : std::size_t{0}});
  const std::int32_t* offsets = chunk.offsets + first;
  if (begin != 0) {
    for (std::int32_t r = 0; r <= n_rows; ++r) staging_.offsets[r] = offsets[r] - begin;
    offsets = staging_.offsets;
  }
  const auto count = static_cast<std::size_t>(end - begin);
  stream_.copy(buffers_.offsets, offsets, (static_cast<std::size_t>(n_rows) + 1) * sizeof(std::int32_t), CopyTo::device);
  stream_.copy(buffers_.columns, wire.columns, count * size_of(wire.column_code), CopyTo::device);
  stream_.copy(buffers_.values, wire.values, count * size_of(wire.value_code), CopyTo::device);
  stream_.copy(buffers_.escapes, staging_.escapes, static_cast<std::size_t>(wire.n_escapes) * sizeof(Escape), CopyTo::device);
  DeviceChunk result{n_rows, end - begin, wire.n_escapes, pass_.n_cols, wire.column_code, wire.value_code};
  result.may_have_zeros = chunk.facts.has_zero;
  result.offsets = buffers_.offsets;
  result.columns = buffers_.columns;
  result.values = buffers_.values;
  result.escapes = buffers_.escapes;
  return result;
}

void Lane::download(std::int32_t first, std::int32_t n_rows, RowBlock& rows) {
  const auto count = static_cast<std::size_t>(n_rows), n_top = static_cast<std::size_t>(rows.n_top),
             n_sets = static_cast<std::size_t>(rows.n_sets), at = static_cast<std::size_t>(first);
  stream_.copy(rows.n_nonzero + at, buffers_.rows.n_nonzero, count * sizeof(std::int32_t), CopyTo::host);
  stream_.copy(rows.totals + at, buffers_.rows.totals, count * sizeof(Total), CopyTo::host);
  stream_.copy(rows.top + at * n_top, buffers_.rows.top, count * n_top * sizeof(Total), CopyTo::host);
  stream_.copy(rows.sets + at * n_sets, buffers_.rows.sets, count * n_sets * sizeof(Total), CopyTo::host);
}

CopiedBytes Lane::compute(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t first, std::int32_t last, RowBlock& rows) {
  return stream_.run([&] {
    const ChunkJob job{pass_, upload(chunk, first, last), buffers_.rows, genes_, buffers_.scratch};
    if (pass_.whole)
      launch_whole_chunk(job, stream_.get());
    else
      launch_real_chunk(job, stream_.get());
    stream_.check_launches();
    download(first, last - first, rows);
  });
}

}  // namespace quern::cuda
