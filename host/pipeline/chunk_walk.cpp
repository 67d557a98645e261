#include "host/pipeline/chunk_walk.hpp"

#include <algorithm>
#include <chrono>

#include "host/core/error.hpp"
#include "host/pipeline/stages.hpp"

namespace quern {
namespace {

OpSpec only_values(ValueType type) {
  OpSpec ops;
  ops.value_type = type;
  return ops;
}

class Walk {
 public:
  Walk(ChunkSource& source, ValueType type, ChunkWork& work, HostMemory& memory, MemoryBudget& budget, const PipelineOptions& options)
      : source_(source),
        work_(work),
        options_(options),
        plan_(plan_pipeline(source, only_values(type), budget, options)),
        pool_({plan_.source.slot, type, options.numbers_per_row, 0}, plan_.n_slots, source, memory, budget, options.poison),
        shared_(memory, budget.claim("stored chunks shared by slots", plan_.source.shared_bytes)) {}

  RunReport run() {
    source_.start({shared_.data(), shared_.size()});
    run_stages(
        plan_, [&](tbb::flow_control& flow) { return fetch(flow); }, [&](ChunkSlot* slot) { return compute(slot); },
        [&](ChunkSlot* slot) { return hand_on(slot); }, [&](ChunkSlot* slot) { put_away(slot); });
    report_.threads = plan_.threads;
    return report_;
  }

 private:
  ChunkSlot* fetch(tbb::flow_control& flow) {
    if (options_.stop && options_.stop->load(std::memory_order_relaxed)) throw Interrupted();
    ChunkSlot& slot = pool_.take();
    if (source_.fetch(slot.chunk)) return &slot;
    pool_.give_back(slot);
    flow.stop();
    return nullptr;
  }

  ChunkSlot* compute(ChunkSlot* slot) {
    source_.decode(slot->chunk);
    slot->packet.block.rows = slot->chunk.rows;
    work_.compute(*slot);
    return slot;
  }

  ChunkSlot* hand_on(ChunkSlot* slot) {
    report_.facts.merge(slot->chunk.facts);
    report_.nnz += slot->chunk.offsets[slot->chunk.rows.size()];
    ++report_.chunks;
    work_.hand_on(*slot);
    if (options_.progress) options_.progress(slot->chunk.rows.last, report_.nnz);
    return slot;
  }

  void put_away(ChunkSlot* slot) {
    pool_.give_back(*slot);
    work_.put_away();
  }

  ChunkSource& source_;
  ChunkWork& work_;
  const PipelineOptions& options_;
  PipelinePlan plan_;
  ChunkPool pool_;
  HostBlock shared_;
  RunReport report_;
};

}  // namespace

CsrChunkView<MemorySpace::host> view_of(const ChunkBuffer& chunk, std::int64_t n_cols) {
  return {
      chunk.rows.first, static_cast<std::int32_t>(chunk.rows.size()), n_cols, chunk.offsets, chunk.columns, chunk.values, chunk.value_type,
      chunk.facts};
}

RunReport walk_chunks(ChunkSource& source, ValueType type, ChunkWork& work, HostMemory& memory, MemoryBudget& budget,
                      const PipelineOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const std::int64_t bytes_before = source.bytes_read();
  RunReport report = Walk(source, type, work, memory, budget, options).run();
  report.passes = 1;
  report.bytes_read = source.bytes_read() - bytes_before;
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return report;
}

}  // namespace quern
