// The ring for work that is not about statistics: reads, decodes, works on several chunks at once, hands them on in order.
#pragma once
#include "host/pipeline/chunk_pool.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern {

// What is done with every chunk. slot.packet.block.totals and .n_nonzero are room for 8 and 4 bytes a row, .top for
// options.numbers_per_row doubles a row, for the work's own use.
class ChunkWork {
 public:
  virtual ~ChunkWork() = default;
  virtual void compute(ChunkSlot& slot) = 0;  // decoded; concurrent, on different slots; may replace the values
  virtual void hand_on(ChunkSlot& slot) = 0;  // serial, in row order; may run while another chunk is fetched
  // Serial, after each hand_on and perhaps beside the next one: for what takes long, such as writing what was handed on.
  virtual void put_away() {}
};

// What a slot's chunk is to those who compute.
CsrChunkView<MemorySpace::host> view_of(const ChunkBuffer& chunk, std::int64_t n_cols);

// One pass with values of `type`. Throws NeedsWiderValues when that cannot hold them: whatever the work has done is then void.
// `memory` is where the slots live. The plan is that of plan_pipeline for an OpSpec with this value type.
RunReport walk_chunks(ChunkSource& source, ValueType type, ChunkWork& work, HostMemory& memory, MemoryBudget& budget,
                      const PipelineOptions& options);

}  // namespace quern
