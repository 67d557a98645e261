// Exact sums of floating-point numbers (host/ops/exact_sum.hpp) by many threads: limbs are integers, so additions may come in any order.
#pragma once
#include "cuda/device/group.hpp"
#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

// Adds to limbs in global memory. Up to three atomics; two for what was a float.
template <class Sum>
QUERN_DEVICE void add_global(LimbState<Sum>* state, double value) {
  const auto addend = Sum::split(value);
  for (int i = 0; i < 3; ++i)
    if (addend.part[i]) atomic_add(&state->limbs[addend.first + i], 0, addend.part[i]);
  if (addend.flags) atomic_or(&state->flags, 0, addend.flags);
}

// `count` exact sums in shared memory, for rows.
template <class Sum>
class SharedSums {
 public:
  static constexpr std::size_t bytes(int count) { return static_cast<std::size_t>(count) * (Sum::n_limbs + 1) * sizeof(std::int64_t); }

  QUERN_DEVICE SharedSums(Block& block, int count) : words_(block.shared<std::int64_t>(count * pitch)), count_(count) {}

  // By all threads, before and after barriers.
  QUERN_DEVICE void clear(const Block& block) const {
    for (int i = block.thread(); i < count_ * pitch; i += block.threads()) words_.set(i, 0);
  }
  QUERN_DEVICE void add_limb(int sum, int limb, std::int64_t value) const {
    if (value) words_.atomic_add(sum * pitch + limb, value);
  }
  QUERN_DEVICE void observe(int sum, double value) const {
    const auto addend = Sum::split(value);
    for (int i = 0; i < 3; ++i) add_limb(sum, addend.first + i, addend.part[i]);
    add_flags(sum, addend.flags);
  }
  QUERN_DEVICE void add_flags(int sum, std::uint32_t flags) const {
    if (flags) words_.atomic_or(sum * pitch + Sum::n_limbs, std::int64_t{flags});
  }
  // The sum rounded to a double; by one thread. What was the sum is then something else.
  QUERN_DEVICE double take_value(int sum) const {
    const auto flags = static_cast<std::uint32_t>(words_.get(sum * pitch + Sum::n_limbs));
    return rounded_limbs(Limbs{words_, sum * pitch}, Sum::n_limbs, Sum::lowest_exponent, flags);
  }

 private:
  static constexpr int pitch = Sum::n_limbs + 1;
  struct Limbs {
    Shared<std::int64_t> words;
    int first;
    QUERN_DEVICE std::int64_t get(int i) const { return words.get(first + i); }
    QUERN_DEVICE void set(int i, std::int64_t value) const { words.set(first + i, value); }
  };
  Shared<std::int64_t> words_;
  int count_;
};

// A lane's part of one sum, in registers: four neighbouring limbs. Values of one row mostly lie within 32 binades, so that limbs
// are rarely put down before the row ends.
template <class Sum>
class LaneSum {
 public:
  QUERN_DEVICE void observe(const SharedSums<Sum>& sums, int sum, double value) {
    const auto addend = Sum::split(value);
    flags_ |= addend.flags;
    if (addend.first != base_ && addend.first != base_ + 1) {
      for (int i = 0; i < 4; ++i) sums.add_limb(sum, base_ + i, limb_[i]);
      for (int i = 0; i < 4; ++i) limb_[i] = 0;
      base_ = addend.first;
    }
    const bool second = addend.first != base_;
    limb_[0] += second ? 0 : addend.part[0];
    limb_[1] += second ? addend.part[0] : addend.part[1];
    limb_[2] += second ? addend.part[1] : addend.part[2];
    limb_[3] += second ? addend.part[2] : 0;
  }

  // Puts everything down; by the whole warp. Lanes at the same limbs are added up first.
  QUERN_DEVICE void flush(const Warp& warp, const SharedSums<Sum>& sums, int sum) {
    const Group<warp_size> group(warp);
    const bool used = limb_[0] || limb_[1] || limb_[2] || limb_[3];
    for (std::uint32_t left = warp.ballot(used); left != 0;) {
      const int leader = lowest_one(left), base = warp.shuffle(base_, leader);
      const bool mine = used && base_ == base;
      for (int i = 0; i < 4; ++i) {
        const std::int64_t all = group.sum(mine ? limb_[i] : 0);
        if (warp.lane() == leader) sums.add_limb(sum, base + i, all);
      }
      left &= ~warp.ballot(mine);
    }
    sums.add_flags(sum, flags_);
    *this = {};
  }

 private:
  int base_ = 0;
  std::int64_t limb_[4] = {0, 0, 0, 0};
  std::uint32_t flags_ = 0;
};

}  // namespace quern::cuda
