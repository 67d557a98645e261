// The vocabulary of kernels on a GPU: nothing but intrinsics. Every collective is called by all lanes of the warp together.
#pragma once
#include <cstdint>
#include <type_traits>

#define QUERN_DEVICE __device__ __forceinline__

namespace quern::cuda {

constexpr int warp_size = 32;
constexpr std::uint32_t all_lanes = 0xffffffffU;

template <class T>
QUERN_DEVICE T load(const T* array, std::int64_t i) {
  return array[i];
}
// What is read once and not again: does not displace what is.
template <class T>
QUERN_DEVICE T load_streaming(const T* array, std::int64_t i) {
  return __ldcs(array + i);
}
template <class T>
QUERN_DEVICE void store(T* array, std::int64_t i, T value) {
  array[i] = value;
}

// What atomicAdd has for a 32- or 64-bit integer.
template <class T>
using AtomicWord = std::conditional_t<sizeof(T) == 8, unsigned long long, unsigned int>;

// All additions wrap around; returns what was there before.
template <class T>
QUERN_DEVICE T atomic_add(T* array, std::int64_t i, T value) {
  using Word = AtomicWord<T>;
  return static_cast<T>(atomicAdd(reinterpret_cast<Word*>(array + i), static_cast<Word>(value)));
}
template <class T>
QUERN_DEVICE void atomic_or(T* array, std::int64_t i, T value) {
  using Word = AtomicWord<T>;
  atomicOr(reinterpret_cast<Word*>(array + i), static_cast<Word>(value));
}

// An array in the block's shared memory; its contents are unspecified until written. 32- and 64-bit words only.
template <class T>
class Shared {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);

 public:
  QUERN_DEVICE explicit Shared(T* data) : data_(data) {}
  QUERN_DEVICE T get(int i) const { return data_[i]; }
  QUERN_DEVICE void set(int i, T value) const { data_[i] = value; }
  QUERN_DEVICE T atomic_add(int i, T value) const { return quern::cuda::atomic_add(data_, i, value); }
  QUERN_DEVICE void atomic_or(int i, T value) const { quern::cuda::atomic_or(data_, i, value); }

 private:
  T* data_;
};

class Block {
 public:
  QUERN_DEVICE int index() const { return static_cast<int>(blockIdx.x); }
  QUERN_DEVICE int count() const { return static_cast<int>(gridDim.x); }
  QUERN_DEVICE int thread() const { return static_cast<int>(threadIdx.x); }
  QUERN_DEVICE int threads() const { return static_cast<int>(blockDim.x); }
  QUERN_DEVICE void barrier() const { __syncthreads(); }

  // The next `count` words of the shared memory the launch asked for. Every thread carves the same arrays in the same order.
  template <class T>
  QUERN_DEVICE Shared<T> shared(int count) {
    extern __shared__ __align__(16) unsigned char quern_shared_memory[];
    used_ = (used_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    T* data = reinterpret_cast<T*>(quern_shared_memory + used_);
    used_ += static_cast<unsigned>(count) * sizeof(T);
    return Shared<T>(data);
  }

 private:
  unsigned used_ = 0;
};

class Warp {
 public:
  QUERN_DEVICE explicit Warp(const Block& block)
      : lane_(block.thread() % warp_size), index_(block.thread() / warp_size), count_(block.threads() / warp_size) {}
  QUERN_DEVICE int lane() const { return lane_; }
  QUERN_DEVICE int index() const { return index_; }
  QUERN_DEVICE int count() const { return count_; }

  QUERN_DEVICE std::uint32_t ballot(bool vote) const { return __ballot_sync(all_lanes, vote); }
  QUERN_DEVICE bool any(bool vote) const { return __any_sync(all_lanes, vote); }
  QUERN_DEVICE void sync() const { __syncwarp(); }
  template <class T>
  QUERN_DEVICE T shuffle(T value, int lane) const {
    return __shfl_sync(all_lanes, value, lane);
  }
  template <class T>
  QUERN_DEVICE T shuffle_xor(T value, int mask) const {
    return __shfl_xor_sync(all_lanes, value, mask);
  }
  // Of the lane `distance` above within its aligned group of `width`; the lane's own value where there is none.
  template <class T>
  QUERN_DEVICE T shuffle_down(T value, int distance, int width = warp_size) const {
    return __shfl_down_sync(all_lanes, value, static_cast<unsigned>(distance), width);
  }

 private:
  int lane_, index_, count_;
};

QUERN_DEVICE int count_ones(std::uint32_t bits) { return __popc(bits); }
QUERN_DEVICE int lowest_one(std::uint32_t bits) { return __ffs(static_cast<int>(bits)) - 1; }

}  // namespace quern::cuda
