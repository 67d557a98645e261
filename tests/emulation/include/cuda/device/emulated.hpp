// The vocabulary of kernels (cuda/device/device.hpp) on the model of a device in tests/emulation.
#pragma once
#include <bit>
#include <cstdint>
#include <cstring>

#include "tests/emulation/grid.hpp"

#define QUERN_DEVICE inline

namespace quern::cuda {

constexpr int warp_size = 32;
constexpr std::uint32_t all_lanes = 0xffffffffU;

using emulation::Access;
using emulation::Grid;
using emulation::Where;

namespace emulated {
template <class T>
T& global(T* array, std::int64_t i, Access kind) {
  Grid& grid = Grid::current();
  if (grid.checked()) grid.touch_global(array + i, sizeof(T), kind);
  return array[i];
}
template <class T>
std::uint64_t word_of(T value) {
  static_assert(sizeof(T) <= 8);
  std::uint64_t word = 0;
  std::memcpy(&word, &value, sizeof(T));
  return word;
}
template <class T>
T value_of(std::uint64_t word) {
  T value;
  std::memcpy(&value, &word, sizeof(T));
  return value;
}
template <class T>
T add(T& word, T value) {
  using Word = std::make_unsigned_t<T>;
  Grid::current().atomic_pause();
  const T old = word;
  word = static_cast<T>(static_cast<Word>(static_cast<Word>(old) + static_cast<Word>(value)));
  return old;
}
}  // namespace emulated

template <class T>
T load(const T* array, std::int64_t i) {
  return emulated::global(array, i, Access::read);
}
template <class T>
T load_streaming(const T* array, std::int64_t i) {
  return emulated::global(array, i, Access::read);
}
template <class T>
void store(T* array, std::int64_t i, T value) {
  emulated::global(array, i, Access::write) = value;
}
template <class T>
T atomic_add(T* array, std::int64_t i, T value) {
  return emulated::add(emulated::global(array, i, Access::atomic), value);
}
template <class T>
void atomic_or(T* array, std::int64_t i, T value) {
  emulated::global(array, i, Access::atomic) |= value;
}

template <class T>
class Shared {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8);

 public:
  Shared(std::size_t offset, int count) : offset_(offset), count_(count) {}
  T get(int i) const { return at(i, Access::read); }
  void set(int i, T value) const { at(i, Access::write) = value; }
  T atomic_add(int i, T value) const { return emulated::add(at(i, Access::atomic), value); }
  void atomic_or(int i, T value) const { at(i, Access::atomic) |= value; }

 private:
  T& at(int i, Access kind) const {
    Grid& grid = Grid::current();
    const std::size_t byte = offset_ + static_cast<std::size_t>(i) * sizeof(T);
    if (i < 0 || i >= count_)
      grid.fault("access of shared memory out of bounds: element " + std::to_string(i) + " of " + std::to_string(count_));
    if (grid.checked()) grid.touch_shared(byte, sizeof(T), kind);
    return *reinterpret_cast<T*>(grid.shared_memory() + byte);
  }
  std::size_t offset_;
  int count_;
};

class Block {
 public:
  int index() const { return Grid::current().block(); }
  int count() const { return Grid::current().shape().blocks; }
  int thread() const { return Grid::current().thread(); }
  int threads() const { return Grid::current().shape().threads; }
  void barrier(const Where& where = Where::current()) const { Grid::current().barrier(where); }

  template <class T>
  Shared<T> shared(int count) {
    used_ = (used_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    const Shared<T> array(used_, count);
    used_ += static_cast<std::size_t>(count) * sizeof(T);
    if (count < 0 || used_ > Grid::current().shape().shared_bytes)
      Grid::current().fault("the kernel needs " + std::to_string(used_) + " bytes of shared memory, more than it was launched with");
    return array;
  }

 private:
  std::size_t used_ = 0;
};

class Warp {
 public:
  explicit Warp(const Block& block)
      : lane_(block.thread() % warp_size), index_(block.thread() / warp_size), count_(block.threads() / warp_size) {}
  int lane() const { return lane_; }
  int index() const { return index_; }
  int count() const { return count_; }

  std::uint32_t ballot(bool vote, const Where& where = Where::current()) const { return Grid::current().meet(vote, false, where).votes; }
  bool any(bool vote, const Where& where = Where::current()) const { return Grid::current().meet(vote, false, where).votes != 0; }
  void sync(const Where& where = Where::current()) const { Grid::current().meet(0, true, where); }
  template <class T>
  T shuffle(T value, int lane, const Where& where = Where::current()) const {
    return take<T>(value, lane & 31, where);
  }
  template <class T>
  T shuffle_xor(T value, int mask, const Where& where = Where::current()) const {
    return take<T>(value, lane_ ^ mask, where);
  }
  template <class T>
  T shuffle_down(T value, int distance, int width = warp_size, const Where& where = Where::current()) const {
    return take<T>(value, lane_ % width + distance < width ? lane_ + distance : lane_, where);
  }

 private:
  template <class T>
  T take(T value, int from, const Where& where) const {
    return emulated::value_of<T>(Grid::current().meet(emulated::word_of(value), false, where).values[from]);
  }
  int lane_, index_, count_;
};

inline int count_ones(std::uint32_t bits) { return std::popcount(bits); }
inline int lowest_one(std::uint32_t bits) { return std::countr_zero(bits); }  // bits != 0

}  // namespace quern::cuda
