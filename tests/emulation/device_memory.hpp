// What counts as device memory: the ranges that emulated kernels may touch.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

namespace quern::emulation {

struct MemoryRange {
  const std::byte* begin = nullptr;
  const std::byte* end = nullptr;
  bool holds(const void* pointer, std::size_t bytes) const {
    const auto* first = static_cast<const std::byte*>(pointer);
    return first >= begin && first <= end && bytes <= static_cast<std::size_t>(end - first);
  }
};

// Process-wide, thread-safe. Ranges do not overlap.
void register_device_memory(const void* pointer, std::size_t bytes);
void forget_device_memory(const void* pointer);
// The range that `pointer` lies in; an empty one if none.
MemoryRange find_device_memory(const void* pointer);

// An array in device memory, filled with a pattern that is no sensible value.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t count) : count_(count), data_(new T[count ? count : 1]) {
    std::memset(static_cast<void*>(data_.get()), 0xcb, count * sizeof(T));
    register_device_memory(data_.get(), count * sizeof(T));
  }
  explicit DeviceArray(std::span<const T> values) : DeviceArray(values.size()) {
    if (count_) std::memcpy(static_cast<void*>(data_.get()), values.data(), count_ * sizeof(T));
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(std::span<const T>(values)) {}
  DeviceArray(DeviceArray&&) = default;
  DeviceArray& operator=(DeviceArray&&) = delete;
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;
  ~DeviceArray() {
    if (data_) forget_device_memory(data_.get());
  }
  T* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  T& operator[](std::size_t i) const { return data_[i]; }
  void zero() { std::memset(static_cast<void*>(data_.get()), 0, count_ * sizeof(T)); }

 private:
  std::size_t count_;
  std::unique_ptr<T[]> data_;
};

}  // namespace quern::emulation
