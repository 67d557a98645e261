// A small stand-in for oneTBB's pipeline, used by ThreadSanitizer builds only: the packaged libtbb is not instrumented, so the sanitizer
// cannot see how it orders the stages and reports every hand-over. Same contract: serial stages run in order and one at a time, parallel
// ones at will, the first exception cancels the rest and is thrown. Random pauses at hand-overs make rare interleavings common.
#pragma once
#include <any>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "tbb/task_arena.h"

namespace tbb {

enum class filter_mode { parallel, serial_in_order };

class flow_control {
 public:
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

 private:
  bool stopped_ = false;
};

namespace stand_in {

struct Stage {
  filter_mode mode;
  std::function<std::any(std::any, flow_control&)> run;
};

inline void pause() {
  thread_local std::minstd_rand random(static_cast<unsigned>(std::hash<std::thread::id>()(std::this_thread::get_id())));
  if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 50));
}

class Line {
 public:
  explicit Line(const std::vector<Stage>& stages) : stages_(stages), turns_(stages.size()) {}

  void run(int n_workers) {
    std::vector<std::thread> helpers;
    for (int i = 1; i < n_workers; ++i) helpers.emplace_back([this] { work(); });
    work();
    for (std::thread& helper : helpers) helper.join();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work() {
    try {
      while (carry_one()) {
      }
    } catch (...) {
      const std::scoped_lock lock(mutex_);
      if (!error_) error_ = std::current_exception();
      ended_ = true;
      changed_.notify_all();
    }
  }

  // One item through all stages; false when there are no more.
  bool carry_one() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !feeding_ || ended_; });
    if (ended_) return false;
    feeding_ = true;
    const std::size_t item = turns_[0]++;
    lock.unlock();
    flow_control flow;
    std::any value = stages_[0].run({}, flow);
    lock.lock();
    feeding_ = false;
    ended_ = ended_ || flow.stopped();
    changed_.notify_all();
    lock.unlock();
    for (std::size_t s = 1; s < stages_.size() && !flow.stopped(); ++s)
      if (!pass(s, item, value)) return false;
    return !flow.stopped();
  }

  // Stage `s` for `item`, in its turn; false when an error elsewhere ended the work.
  bool pass(std::size_t s, std::size_t item, std::any& value) {
    pause();
    flow_control unused;
    if (stages_[s].mode == filter_mode::parallel) {
      value = stages_[s].run(std::move(value), unused);
      return true;
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turns_[s] == item || error_; });
    if (error_) return false;
    lock.unlock();
    value = stages_[s].run(std::move(value), unused);
    lock.lock();
    ++turns_[s];
    changed_.notify_all();
    return true;
  }

  const std::vector<Stage>& stages_;
  std::vector<std::size_t> turns_;  // next item of each serial stage
  std::mutex mutex_;
  std::condition_variable changed_;
  bool feeding_ = false, ended_ = false;
  std::exception_ptr error_;
};

}  // namespace stand_in

template <class In, class Out>
class filter {
 public:
  std::vector<stand_in::Stage> stages;
};

template <class In, class Out, class Body>
filter<In, Out> make_filter(filter_mode mode, Body body) {
  const auto run = [body](std::any value, flow_control& flow) -> std::any {
    if constexpr (std::is_void_v<In>)
      return body(flow);
    else if constexpr (std::is_void_v<Out>)
      return body(std::any_cast<In>(value)), std::any();
    else
      return body(std::any_cast<In>(value));
  };
  return {{{mode, run}}};
}

template <class In, class Middle, class Out>
filter<In, Out> operator&(const filter<In, Middle>& first, const filter<Middle, Out>& second) {
  filter<In, Out> joined{first.stages};
  joined.stages.insert(joined.stages.end(), second.stages.begin(), second.stages.end());
  return joined;
}

inline void parallel_pipeline(std::size_t max_items, const filter<void, void>& chain) {
  const int workers = static_cast<int>(std::min<std::size_t>(max_items, static_cast<std::size_t>(task_arena::current())));
  stand_in::Line(chain.stages).run(workers);
}

}  // namespace tbb
