// See parallel_pipeline.h.
#pragma once
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

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

}  // namespace tbb
