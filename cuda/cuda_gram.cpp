#include "cuda/cuda_gram.hpp"

#include <algorithm>
#include <cstring>

#include "cuda/kernels/launches.hpp"
#include "host/ops/gram.hpp"

namespace quern::cuda {
namespace {

constexpr std::int64_t piece_nnz = 1 << 20;
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;  // what cuBLAS asks for on the largest devices

// A piece holds a row at least.
std::int64_t entries_of_piece(std::int64_t n_genes) { return std::max(piece_nnz, n_genes); }

GramPiece carve_piece(std::int64_t n_genes, Carver& carver) {
  const auto nnz = static_cast<std::size_t>(entries_of_piece(n_genes));
  return {carver.take<std::int32_t>(static_cast<std::size_t>(gram_block_rows(n_genes)) + 1), carver.take<std::uint32_t>(nnz),
          carver.take<std::byte>(nnz * sizeof(double))};
}

std::size_t staging_bytes(std::int64_t n_genes) {
  Carver carver(nullptr);
  for (int i = 0; i < 2; ++i) carve_piece(n_genes, carver);
  return carver.used();
}

std::size_t square(std::int64_t n_genes) { return static_cast<std::size_t>(n_genes) * static_cast<std::size_t>(n_genes); }

const std::string& made_current(Device& device) {
  check(runtime::set_device(device.facts.index), device.memory.device(), "choosing the device");
  return device.memory.device();
}

template <class V>
void add_values(const CsrChunkView<MemorySpace::host>& rows, std::span<double> sums) {
  const V* values = rows.values_as<V>();
  for (std::int32_t i = 0; i < rows.nnz(); ++i) sums[rows.columns[i]] += static_cast<double>(values[i]);
}

}  // namespace

DenseHandle::DenseHandle(const std::string& device) {
  if (const std::string refusal = dense::refusal(); !refusal.empty())
    throw Error(ErrorKind::device, "no-cublas", "--backend cuda", refusal,
                "install the libraries of NVIDIA's CUDA toolkit (libcublas), or use --backend cpu");
  check(dense::create(handle_), device, "starting cuBLAS");
}

CudaGram::Buffers CudaGram::carve(std::int64_t n_genes, Carver& carver) {
  Buffers buffers{};
  for (GramPiece& piece : buffers.pieces) piece = carve_piece(n_genes, carver);
  buffers.tile = carver.take<double>(static_cast<std::size_t>(gram_block_rows(n_genes) * n_genes));
  buffers.products = carver.take<double>(square(n_genes));
  buffers.workspace = carver.take<std::byte>(workspace_bytes);
  return buffers;
}

std::size_t CudaGram::device_bytes(std::int64_t n_genes) {
  Carver carver(nullptr);
  carve(n_genes, carver);
  return carver.used();
}

std::size_t CudaGram::host_bytes(std::int64_t n_genes) {
  return staging_bytes(n_genes) + (square(n_genes) + static_cast<std::size_t>(n_genes)) * sizeof(double);
}

CudaGram::CudaGram(std::int64_t n_genes, const RunRoom& room, MemoryBudget& budget)
    : n_genes_(n_genes),
      device_(*room.devices.front()),
      traffic_(room.traffic),
      staging_(room.host, budget.claim("page-locked buffers of lanes", staging_bytes(n_genes))),
      result_(pageable_memory(), budget.claim("products of genes", host_bytes(n_genes) - staging_bytes(n_genes))),
      sums_(static_cast<std::size_t>(n_genes)),
      stream_(made_current(device_)),
      handle_(device_.memory.device()),
      block_(device_.memory, device_bytes(n_genes), stream_.get()) {
  Carver on_device(block_.data()), on_host(staging_.data());
  buffers_ = carve(n_genes, on_device);
  for (const GramPiece& piece : buffers_.pieces)
    pieces_.push_back({carve_piece(n_genes, on_host), piece, OwnedEvent(device_.memory.device())});
  check_call(dense::use(handle_.get(), stream_.get(), buffers_.workspace, workspace_bytes), "starting cuBLAS");
  device_.memory.note_pool(device_.facts.index);
  // The last thing that can fail: what is enqueued before an error is waited for by the destructor only.
  check_call(runtime::clear_async(buffers_.products, square(n_genes) * sizeof(double), stream_.get()), "clearing products of genes");
}

void CudaGram::send(const CsrChunkView<MemorySpace::host>& block, std::int32_t first, std::int32_t last) {
  Piece& piece = pieces_[next_];
  next_ = (next_ + 1) % pieces_.size();
  check_call(runtime::synchronize_event(piece.copied.get()), "waiting for a copy");
  const std::int32_t begin = block.offsets[first];
  const auto n_rows = static_cast<std::size_t>(last - first), nnz = static_cast<std::size_t>(block.offsets[last] - begin);
  for (std::size_t r = 0; r <= n_rows; ++r) piece.host.offsets[r] = block.offsets[static_cast<std::size_t>(first) + r] - begin;
  const std::size_t value_bytes = size_of(block.value_type);
  std::memcpy(piece.host.columns, block.columns + begin, nnz * sizeof(std::uint32_t));
  std::memcpy(piece.host.values, static_cast<const std::byte*>(block.values) + static_cast<std::size_t>(begin) * value_bytes,
              nnz * value_bytes);

  CopiedBytes copied;
  const auto copy = [&](void* to, const void* from, std::size_t n_bytes) {
    if (n_bytes) check_call(runtime::copy_async(to, from, n_bytes, CopyTo::device, stream_.get()), "copying a chunk to the device");
    copied.to_device += n_bytes;
  };
  copy(piece.device.offsets, piece.host.offsets, (n_rows + 1) * sizeof(std::int32_t));
  copy(piece.device.columns, piece.host.columns, nnz * sizeof(std::uint32_t));
  copy(piece.device.values, piece.host.values, nnz * value_bytes);
  DeviceChunk chunk;
  chunk.n_rows = static_cast<std::int32_t>(n_rows);
  chunk.nnz = static_cast<std::int32_t>(nnz);
  chunk.n_cols = static_cast<std::uint32_t>(n_genes_);
  chunk.value_code = block.value_type == ValueType::f32 ? ValueCode::f32 : ValueCode::f64;
  chunk.offsets = piece.device.offsets;
  chunk.columns = piece.device.columns;
  chunk.values = piece.device.values;
  launch_densify_rows({chunk, buffers_.tile + first * n_genes_}, stream_.get());
  check_call(runtime::last_error(), "starting kernels on a chunk");
  check_call(runtime::record_event(piece.copied.get(), stream_.get()), "marking the end of a chunk");
  traffic_.add(copied);
}

void CudaGram::add(const CsrChunkView<MemorySpace::host>& block) {
  traffic_.begin_chunk();
  made_current(device_);
  block.value_type == ValueType::f32 ? add_values<float>(block, sums_) : add_values<double>(block, sums_);
  const auto tile_bytes = static_cast<std::size_t>(block.n_rows * n_genes_) * sizeof(double);
  check_call(runtime::clear_async(buffers_.tile, tile_bytes, stream_.get()), "clearing a tile");
  for (std::int32_t first = 0; first < block.n_rows;) {
    const auto room = block.offsets[first] + entries_of_piece(n_genes_);
    const std::int32_t* const past = std::upper_bound(block.offsets + first, block.offsets + block.n_rows + 1, room);
    const auto last = static_cast<std::int32_t>(past - block.offsets) - 1;
    send(block, first, last);
    first = last;
  }
  check_call(dense::add_products(handle_.get(), buffers_.tile, block.n_rows, static_cast<std::int32_t>(n_genes_), buffers_.products),
             "multiplying genes with genes");
  check_call(runtime::last_error(), "multiplying genes with genes");
}

std::span<double> CudaGram::finish() {
  made_current(device_);
  auto* const products = reinterpret_cast<double*>(result_.data());
  const std::size_t bytes = square(n_genes_) * sizeof(double);
  check_call(runtime::copy_async(products, buffers_.products, bytes, CopyTo::host, stream_.get()), "copying results from the device");
  check_call(runtime::synchronize_stream(stream_.get()), "multiplying genes with genes");
  traffic_.add({0, bytes});
  const auto n = static_cast<std::size_t>(n_genes_);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i + 1; j < n; ++j) products[j * n + i] = products[i * n + j];
  return {products, square(n_genes_)};
}

}  // namespace quern::cuda
