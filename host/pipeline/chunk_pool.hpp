// The ring: a fixed number of slots cut from one block of memory, each with room for a chunk, its stored bytes and its row results.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "host/core/backend.hpp"
#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "host/core/sink.hpp"

namespace quern {

struct ChunkSlot {
  ChunkBuffer chunk;
  RowPacket packet;
  Claim long_names;  // what the packet's names take beyond the room planned for them
};

struct SlotLayout {
  SlotShape shape;
  ValueType value_type = ValueType::f32;
  int n_top = 0, n_sets = 0;
  // Of one slot, in the ring's block.
  std::size_t bytes() const;
};

class ChunkPool {
 public:
  // Claims "ring" for the block. `poison`: freed slots are overwritten, so that stale reads show.
  ChunkPool(const SlotLayout& layout, int n_slots, const ChunkSource& source, HostMemory& memory, MemoryBudget& budget, bool poison);
  // Never waits: the caller holds at most n_slots.
  ChunkSlot& take();
  void give_back(ChunkSlot& slot);

 private:
  void carve(ChunkSlot& slot, std::byte* at) const;
  SlotLayout layout_;
  HostBlock block_;
  Claim pending_claim_;
  std::vector<std::unique_ptr<ChunkSlot>> slots_;
  std::vector<ChunkSlot*> free_;
  std::mutex mutex_;
  bool poison_;
};

}  // namespace quern
