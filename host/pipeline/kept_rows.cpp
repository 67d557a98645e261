#include "host/pipeline/kept_rows.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <cstring>

namespace quern {
namespace {

constexpr std::int64_t narrow_genes = 65536;

std::size_t column_bytes(std::int64_t n_genes) { return n_genes <= narrow_genes ? sizeof(std::uint16_t) : sizeof(std::uint32_t); }
std::size_t offset_bytes(std::int32_t n_rows) { return aligned((static_cast<std::size_t>(n_rows) + 1) * sizeof(std::int32_t)); }
std::size_t value_bytes(std::int32_t nnz, ValueType type) { return aligned(static_cast<std::size_t>(nnz) * size_of(type)); }

}  // namespace

void KeptRows::restart() {
  blocks_.clear();
  bytes_ = 0;
  n_rows_ = 0;
  most_nnz_ = 0;
}

std::size_t KeptRows::bytes_of(const CsrChunkView<MemorySpace::host>& block) {
  return offset_bytes(block.n_rows) + value_bytes(block.nnz(), block.value_type) +
         static_cast<std::size_t>(block.nnz()) * column_bytes(block.n_cols);
}

void KeptRows::keep(const CsrChunkView<MemorySpace::host>& block) {
  if (n_rows_ < 0) return;
  const std::size_t bytes = bytes_of(block);
  if (bytes_ + bytes > most_bytes_ || bytes > budget_.available()) {
    restart();
    n_rows_ = -1;
    return;
  }
  const std::int32_t nnz = block.nnz();
  Block kept{block.first_row,  block.n_cols,
             block.n_rows,     nnz,
             block.value_type, HostBlock(pageable_memory(), budget_.claim("kept rows of the selected genes", bytes))};
  std::byte* at = kept.memory.data();
  std::memcpy(at, block.offsets, (static_cast<std::size_t>(block.n_rows) + 1) * sizeof(std::int32_t));
  at += offset_bytes(block.n_rows);
  if (nnz > 0) std::memcpy(at, block.values, static_cast<std::size_t>(nnz) * size_of(block.value_type));
  at += value_bytes(nnz, block.value_type);
  if (column_bytes(block.n_cols) == sizeof(std::uint16_t))
    std::transform(block.columns, block.columns + nnz, reinterpret_cast<std::uint16_t*>(at),
                   [](std::uint32_t column) { return static_cast<std::uint16_t>(column); });
  else
    std::copy_n(block.columns, nnz, reinterpret_cast<std::uint32_t*>(at));
  blocks_.push_back(std::move(kept));
  bytes_ += bytes;
  n_rows_ += block.n_rows;
  most_nnz_ = std::max(most_nnz_, nnz);
}

void KeptRows::replay(BlockUser& user, int threads) {
  const HostBlock wide(pageable_memory(),
                       budget_.claim("kept rows of the selected genes", static_cast<std::size_t>(most_nnz_) * sizeof(std::uint32_t) + 1));
  auto* const columns = reinterpret_cast<std::uint32_t*>(wide.data());
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  arena.execute([&] {
    for (const Block& block : blocks_) {
      const std::byte* const offsets = block.memory.data();
      const std::byte* const values = offsets + offset_bytes(block.n_rows);
      const std::byte* const narrow = values + value_bytes(block.nnz, block.type);
      if (column_bytes(block.n_genes) == sizeof(std::uint16_t))
        std::copy_n(reinterpret_cast<const std::uint16_t*>(narrow), block.nnz, columns);
      else
        std::copy_n(reinterpret_cast<const std::uint32_t*>(narrow), block.nnz, columns);
      user.take(
          {block.first_row, block.n_rows, block.n_genes, reinterpret_cast<const std::int32_t*>(offsets), columns, values, block.type, {}});
    }
  });
}

}  // namespace quern
