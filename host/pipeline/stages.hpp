// How chunks go through the ring: fetched in order, computed several at once, handed on in order.
#pragma once
#include <tbb/global_control.h>
#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <cstddef>

#include "host/pipeline/chunk_pool.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern {

// fetch(flow_control) -> ChunkSlot*, compute(ChunkSlot*) -> ChunkSlot*, hand_on(ChunkSlot*). What one of them throws comes out here.
template <class Fetch, class Compute, class HandOn>
void run_stages(const PipelinePlan& plan, const Fetch& fetch, const Compute& compute, const HandOn& hand_on) {
  const tbb::global_control limit(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(plan.threads));
  tbb::task_arena arena(plan.threads);
  arena.execute([&] {
    tbb::parallel_pipeline(static_cast<std::size_t>(plan.n_slots),
                           tbb::make_filter<void, ChunkSlot*>(tbb::filter_mode::serial_in_order, fetch) &
                               tbb::make_filter<ChunkSlot*, ChunkSlot*>(tbb::filter_mode::parallel, compute) &
                               tbb::make_filter<ChunkSlot*, void>(tbb::filter_mode::serial_in_order, hand_on));
  });
}

}  // namespace quern
