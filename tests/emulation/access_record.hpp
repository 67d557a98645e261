// Who touched a word of memory last, and whether the next access is ordered after it.
#pragma once
#include <cstdint>

namespace quern::emulation {

enum class Access : std::uint8_t { read, write, atomic };

// A thread at a moment. Epochs count the barriers of the block and the synchronisations of the warp that the thread has passed.
struct Moment {
  std::int32_t block = 0, thread = -1;  // thread -1: nobody
  std::uint32_t block_epoch = 0, warp_epoch = 0;
  std::int32_t warp() const { return thread / 32; }
};

// `earlier` happened before `now` whatever the schedule: program order, a barrier or a warp synchronisation lies between.
inline bool ordered(const Moment& earlier, const Moment& now) {
  if (earlier.thread < 0) return true;
  if (earlier.block != now.block) return false;
  if (earlier.thread == now.thread || earlier.block_epoch < now.block_epoch) return true;
  return earlier.warp() == now.warp() && earlier.warp_epoch < now.warp_epoch;
}

// Accesses of one kind that need not be ordered among each other. The latest is kept, and who else was there since the last barrier.
class AccessSet {
 public:
  void note(const Moment& now) {
    if (latest_.thread >= 0) {
      const bool same_block = latest_.block == now.block;
      const bool same_epoch = same_block && latest_.block_epoch == now.block_epoch;
      const bool same_warp = latest_.warp() == now.warp();
      many_blocks_ = many_blocks_ || !same_block;
      many_warps_ = same_epoch && (many_warps_ || !same_warp);
      many_lanes_ = same_epoch && same_warp && latest_.warp_epoch == now.warp_epoch && (many_lanes_ || latest_.thread != now.thread);
    }
    latest_ = now;
  }
  bool all_before(const Moment& now) const {
    if (many_blocks_ || !ordered(latest_, now)) return false;
    if (latest_.thread < 0 || latest_.block_epoch < now.block_epoch) return true;
    return !many_warps_ && !(many_lanes_ && latest_.warp_epoch >= now.warp_epoch);
  }
  bool empty() const { return latest_.thread < 0; }

 private:
  Moment latest_;
  bool many_lanes_ = false, many_warps_ = false, many_blocks_ = false;
};

class AccessRecord {
 public:
  bool written() const { return writer_.thread >= 0 || !atomics_.empty(); }

  // Notes the access; false: it races with an earlier one. Reads do not race with reads, nor atomics with atomics.
  bool note(Access kind, const Moment& now) {
    const bool after_write = ordered(writer_, now);
    if (kind == Access::read) {
      readers_.note(now);
      return after_write && atomics_.all_before(now);
    }
    if (kind == Access::atomic) {
      atomics_.note(now);
      return after_write && readers_.all_before(now);
    }
    const bool fine = after_write && readers_.all_before(now) && atomics_.all_before(now);
    *this = {};
    writer_ = now;
    return fine;
  }

 private:
  Moment writer_;
  AccessSet readers_, atomics_;
};

}  // namespace quern::emulation
