// See parallel_pipeline.h.
#pragma once
#include <algorithm>

namespace tbb {

class task_arena {
 public:
  explicit task_arena(int concurrency) : concurrency_(concurrency) {}

  template <class Body>
  auto execute(Body&& body) {
    const Restore restore{current_};
    current_ = concurrency_;
    return body();
  }

  static int current() { return std::max(current_, 1); }

 private:
  struct Restore {
    int before;
    ~Restore() { current_ = before; }
  };
  int concurrency_;
  inline static thread_local int current_ = 1;
};

namespace this_task_arena {

// Nothing is stolen here anyway.
template <class Body>
auto isolate(Body&& body) {
  return body();
}

}  // namespace this_task_arena

}  // namespace tbb
