// Warps cut into groups of 8 or 32 lanes, and what a group does together. All lanes of the warp call these together, whatever their group.
#pragma once
#include <cstdint>

#include "cuda/device/device.hpp"

namespace quern::cuda {

constexpr int log2_of(int width) { return width == 1 ? 0 : 1 + log2_of(width / 2); }

template <int Width>
class Group {
 public:
  static constexpr int width = Width, per_warp = warp_size / Width;
  QUERN_DEVICE explicit Group(const Warp& warp) : warp_(warp), lane_(warp.lane() % Width), first_(warp.lane() - lane_) {}
  QUERN_DEVICE const Warp& warp() const { return warp_; }
  QUERN_DEVICE int lane() const { return lane_; }
  QUERN_DEVICE int index() const { return first_ / Width; }  // within the warp

  // The group's part of a word with one bit a lane of the warp.
  QUERN_DEVICE std::uint32_t part(std::uint32_t warp_bits) const { return Width == warp_size ? warp_bits : warp_bits >> first_ & mask; }

  template <class T>
  QUERN_DEVICE T sum(T value) const {
    for (int distance = Width / 2; distance > 0; distance /= 2) value += warp_.shuffle_xor(value, distance);
    return value;
  }
  // The sum of the values of this lane and of all lanes above it.
  template <class T>
  QUERN_DEVICE T suffix_sum(T value) const {
    for (int distance = 1; distance < Width; distance *= 2) {
      const T above = warp_.shuffle_down(value, distance, Width);
      if (lane_ + distance < Width) value += above;
    }
    return value;
  }
  // Of the lane above; 0 for the last.
  template <class T>
  QUERN_DEVICE T above(T value) const {
    const T next = warp_.shuffle_down(value, 1, Width);
    return lane_ + 1 < Width ? next : T{0};
  }
  template <class T>
  QUERN_DEVICE T from(T value, int lane) const {
    return warp_.shuffle(value, first_ + lane);
  }

 private:
  static constexpr std::uint32_t mask = Width == warp_size ? all_lanes : (std::uint32_t{1} << (Width % warp_size)) - 1;
  const Warp& warp_;
  int lane_, first_;
};

// The lowest bits of one small number a lane, one word a bit: the transposed numbers. Counting how often a number occurs, or adding
// numbers of some lanes up, is then a matter of counting ones, without a shuffle.
template <int Bits>
struct BitPlanes {
  std::uint32_t plane[Bits];

  QUERN_DEVICE BitPlanes(const Warp& warp, std::uint32_t number) {
    for (int b = 0; b < Bits; ++b) plane[b] = warp.ballot(number >> b & 1);
  }
  // The lanes whose number is `number`.
  QUERN_DEVICE std::uint32_t equal_to(std::uint32_t number) const {
    std::uint32_t lanes = all_lanes;
    for (int b = 0; b < Bits; ++b) lanes &= number >> b & 1 ? plane[b] : ~plane[b];
    return lanes;
  }
  // The sum of the numbers of the lanes of the group that are in `lanes`.
  template <int Width>
  QUERN_DEVICE std::int32_t sum(const Group<Width>& group, std::uint32_t lanes) const {
    std::int32_t total = 0;
    for (int b = 0; b < Bits; ++b) total += count_ones(group.part(plane[b] & lanes)) << b;
    return total;
  }
};

// The first i in [0, n] with below(i) false, where below is true up to some i and false from there; below(n) is false. 32 probes at once.
template <class Below>
QUERN_DEVICE std::int64_t first_not(const Warp& warp, std::int64_t n, const Below& below) {
  std::int64_t low = 0, high = n;
  while (low < high) {
    const std::int64_t stride = (high - low + warp_size - 1) / warp_size;
    const auto probe = [&](std::int64_t lane) {
      const std::int64_t at = low + stride * (lane + 1) - 1;
      return at < high ? at : high - 1;
    };
    const int n_below = count_ones(warp.ballot(below(probe(warp.lane()))));
    const std::int64_t new_low = n_below > 0 ? probe(n_below - 1) + 1 : low;
    const std::int64_t new_high = n_below < warp_size ? probe(n_below) : high;
    low = new_low;
    high = new_high;
  }
  return low;
}

}  // namespace quern::cuda
