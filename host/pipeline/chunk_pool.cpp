#include "host/pipeline/chunk_pool.hpp"

#include <cstring>
#include <utility>

namespace quern {
namespace {

struct Parts {
  std::size_t offsets, columns, values, n_nonzero, totals, top, sets, staging;
  explicit Parts(const SlotLayout& layout) {
    const auto rows = static_cast<std::size_t>(layout.shape.max_rows), nnz = static_cast<std::size_t>(layout.shape.max_nnz);
    offsets = aligned((rows + 1) * sizeof(std::int32_t));
    columns = aligned(nnz * sizeof(std::uint32_t));
    values = aligned(nnz * size_of(layout.value_type));
    n_nonzero = aligned(rows * sizeof(std::int32_t));
    totals = aligned(rows * sizeof(Total));
    top = aligned(rows * sizeof(Total) * static_cast<std::size_t>(layout.n_top));
    sets = aligned(rows * sizeof(Total) * static_cast<std::size_t>(layout.n_sets));
    staging = aligned(layout.shape.staging_bytes);
  }
  std::size_t all() const { return offsets + columns + values + n_nonzero + totals + top + sets + staging; }
};

}  // namespace

std::size_t SlotLayout::bytes() const { return Parts(*this).all(); }

ChunkPool::ChunkPool(const SlotLayout& layout, int n_slots, const ChunkSource& source, HostMemory& memory, MemoryBudget& budget,
                     bool poison)
    : layout_(layout),
      block_(memory, budget.claim("ring of chunks", layout.bytes() * static_cast<std::size_t>(n_slots))),
      pending_claim_(budget.claim("decoders", layout.shape.pending_bytes * static_cast<std::size_t>(n_slots))),
      poison_(poison) {
  for (int i = 0; i < n_slots; ++i) {
    auto slot = std::make_unique<ChunkSlot>();
    carve(*slot, block_.data() + layout.bytes() * static_cast<std::size_t>(i));
    slot->chunk.pending = source.make_pending();
    free_.push_back(slot.get());
    slots_.push_back(std::move(slot));
  }
}

void ChunkPool::carve(ChunkSlot& slot, std::byte* at) const {
  const Parts parts(layout_);
  const auto next = [&at](std::size_t bytes) { return std::exchange(at, at + bytes); };
  slot.chunk.value_type = layout_.value_type;
  slot.chunk.offsets = reinterpret_cast<std::int32_t*>(next(parts.offsets));
  slot.chunk.columns = reinterpret_cast<std::uint32_t*>(next(parts.columns));
  slot.chunk.values = next(parts.values);
  RowBlock& rows = slot.packet.block;
  rows.n_top = layout_.n_top;
  rows.n_sets = layout_.n_sets;
  rows.n_nonzero = reinterpret_cast<std::int32_t*>(next(parts.n_nonzero));
  rows.totals = reinterpret_cast<Total*>(next(parts.totals));
  rows.top = reinterpret_cast<Total*>(next(parts.top));
  rows.sets = reinterpret_cast<Total*>(next(parts.sets));
  slot.chunk.staging = std::span<std::byte>(next(parts.staging), layout_.shape.staging_bytes);
}

ChunkSlot& ChunkPool::take() {
  const std::scoped_lock lock(mutex_);
  ChunkSlot& slot = *free_.back();
  free_.pop_back();
  return slot;
}

void ChunkPool::give_back(ChunkSlot& slot) {
  if (poison_) std::memset(static_cast<void*>(slot.chunk.offsets), 0xa5, layout_.bytes());
  const std::scoped_lock lock(mutex_);
  free_.push_back(&slot);
}

}  // namespace quern
