// How chunks go through the ring: fetched in order, computed several at once, handed on in order.
#pragma once
#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <cstddef>

#include "host/pipeline/chunk_pool.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern {

template <class Last>
tbb::filter<ChunkSlot*, void> in_order(const Last& last) {
  return tbb::make_filter<ChunkSlot*, void>(tbb::filter_mode::serial_in_order, last);
}
template <class HandOn, class Last>
tbb::filter<ChunkSlot*, void> in_order(const HandOn& hand_on, const Last& last) {
  return tbb::make_filter<ChunkSlot*, ChunkSlot*>(tbb::filter_mode::serial_in_order, hand_on) & in_order(last);
}

// fetch(flow_control) -> ChunkSlot*, compute(ChunkSlot*) -> ChunkSlot*, then one or two that are serial and in order: hand_on(ChunkSlot*)
// -> ChunkSlot*, and the last(ChunkSlot*), which may run beside the next chunk's hand_on. What one of them throws comes out here.
template <class Fetch, class Compute, class... Serial>
void run_stages(const PipelinePlan& plan, const Fetch& fetch, const Compute& compute, const Serial&... serial) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(plan.threads));
  tbb::task_arena arena(plan.threads);
  arena.execute([&] {
    tbb::parallel_pipeline(static_cast<std::size_t>(plan.n_slots),
                           tbb::make_filter<void, ChunkSlot*>(tbb::filter_mode::serial_in_order, fetch) &
                               tbb::make_filter<ChunkSlot*, ChunkSlot*>(tbb::filter_mode::parallel, compute) & in_order(serial...));
  });
}

}  // namespace quern
