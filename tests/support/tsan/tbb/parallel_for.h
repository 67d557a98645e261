// See parallel_pipeline.h.
#pragma once
#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "tbb/blocked_range.h"
#include "tbb/task_arena.h"

namespace tbb {

// body(i) for first <= i < last, by as many threads as the arena has.
template <class Index, class Body>
void parallel_for(Index first, Index last, const Body& body) {
  std::mutex mutex;
  std::exception_ptr error;
  const auto work = [&] {
    for (;;) {
      Index mine;
      {
        const std::lock_guard lock(mutex);
        if (first >= last || error) return;
        mine = first++;
      }
      try {
        body(mine);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
  };
  std::vector<std::thread> helpers;
  for (int i = 1; i < task_arena::current(); ++i) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  if (error) std::rethrow_exception(error);
}

// body(piece) for pieces of a grain each.
template <class Value, class Body>
void parallel_for(const blocked_range<Value>& range, const Body& body, simple_partitioner = {}) {
  const auto n = static_cast<std::size_t>(range.end() - range.begin()), grain = std::max<std::size_t>(range.grainsize(), 1);
  parallel_for(std::size_t{0}, (n + grain - 1) / grain, [&](std::size_t piece) {
    const std::size_t first = piece * grain, last = std::min(n, first + grain);
    body(blocked_range<Value>(range.begin() + static_cast<Value>(first), range.begin() + static_cast<Value>(last), grain));
  });
}

}  // namespace tbb
