// A grid of blocks on the CPU: one fiber a lane, blocks one after another, lanes switched at collectives and barriers in a seeded order.
// What a GPU would let pass or fail far from the cause ends here at once: races in shared and global memory, accesses out of bounds,
// shared memory read before it was written, barriers that not all threads reach.
#pragma once
#include <array>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <source_location>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/emulation/access_record.hpp"
#include "tests/emulation/device_memory.hpp"
#include "tests/emulation/fiber.hpp"

namespace quern::emulation {

// ascending: each warp as far as it gets, lane 0 first. descending: the last warp first, lane 31 first. shuffled: another lane of any
// warp at any collective, and now and then at an atomic; blocks in any order.
enum class LaneOrder { ascending, descending, shuffled };

// Mistakes made on purpose, to see that they are caught.
struct Planted {
  std::string skipped;         // FILE:LINE of a barrier, or of a Warp::sync, that does nothing
  bool plain_atomics = false;  // atomics read and write like any other access
};

struct Schedule {
  LaneOrder order = LaneOrder::ascending;
  std::uint64_t seed = 1;
  bool checked = true;  // false: no accesses are checked, several times faster
  Planted planted = {};
  std::set<std::string>* places = nullptr;  // if given: takes FILE:LINE of every barrier and Warp::sync that is passed
};

struct GridShape {
  int blocks = 1, threads = 32;  // threads: a multiple of 32
  std::size_t shared_bytes = 0;
};

// The rule that a kernel broke, in words: what, which block and thread, where in memory.
class DeviceFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Where = std::source_location;

class Grid {
 public:
  // Runs lane_body once in every thread of every block. Throws the first DeviceFault (or what lane_body threw).
  static void run(const GridShape& shape, const Schedule& schedule, const std::function<void()>& lane_body);
  // The grid that the calling fiber belongs to.
  static Grid& current();

  int block() const { return block_; }
  int thread() const { return thread_; }
  const GridShape& shape() const { return shape_; }
  bool checked() const { return schedule_.checked; }

  struct Deposits {
    const std::uint64_t* values;  // what each of the 32 lanes brought
    std::uint32_t votes;          // their lowest bits
  };
  // All lanes of the warp meet here, at the same place of the kernel. `orders_memory`: what was stored before is seen after.
  Deposits meet(std::uint64_t value, bool orders_memory, const Where& where);
  void barrier(const Where& where);
  void atomic_pause();

  std::byte* shared_memory() { return shared_.data(); }
  void touch_shared(std::size_t offset, std::size_t bytes, Access kind);
  void touch_global(const void* pointer, std::size_t bytes, Access kind);
  [[noreturn]] void fault(const std::string& what) const;

 private:
  struct WarpState {
    std::uint32_t runnable = 0, arrived = 0, synced = 0;
    unsigned phase = 0;
    std::uint32_t votes[2] = {0, 0};
    std::array<std::uint64_t, 32> values[2];
    Where where;
  };

  Grid(const GridShape& shape, const Schedule& schedule, const std::function<void()>& lane_body);
  void run_block(int block);
  static void enter(void* grid);
  void run_lane();
  WarpState& warp() { return warps_[static_cast<std::size_t>(thread_) / 32]; }
  std::uint32_t bit() const { return std::uint32_t{1} << (thread_ % 32); }
  Moment now() { return {block_, thread_, barriers_passed_, warp().synced}; }
  std::uint32_t random();
  bool passes(const Where& where);  // notes a barrier; false: it is to do nothing
  void wait();                      // until another lane makes this one runnable again
  void go_to(int next);             // Fibers::outside or a thread
  int next_lane();
  int next_warp(int from, int step) const;
  std::string stuck() const;

  GridShape shape_;
  Schedule schedule_;
  const std::function<void()>& lane_body_;
  Fibers fibers_;
  std::vector<WarpState> warps_;
  std::vector<std::byte> shared_;
  std::vector<AccessRecord> shared_records_;
  std::unordered_map<std::uintptr_t, AccessRecord> global_records_;
  MemoryRange last_range_, second_range_;
  std::uint64_t random_state_;
  int block_ = 0, thread_ = 0, ended_ = 0, at_barrier_ = 0;
  std::uint32_t barriers_passed_ = 0;
  Where barrier_where_;
  std::exception_ptr failure_;
};

}  // namespace quern::emulation
