// The memory that a run may take of one device (--gpu-memory), and blocks of it.
#pragma once
#include <atomic>
#include <cstddef>
#include <string>

#include "cuda/check.hpp"

namespace quern::cuda {

// Thread-safe; outlives its blocks.
class DeviceMemory {
 public:
  DeviceMemory(std::string device, std::size_t limit_bytes) : device_(std::move(device)), limit_(limit_bytes) {}
  std::size_t limit() const { return limit_; }
  std::size_t peak() const { return peak_; }  // the most that was taken of the device at any time
  // Counts what the device's pool has really taken for the blocks: it takes memory in pieces of its own size.
  void note_pool(int device);
  const std::string& device() const { return device_; }

 private:
  friend class DeviceBlock;
  void raise_peak(std::size_t bytes);
  std::string device_;
  std::size_t limit_;
  std::atomic<std::size_t> used_ = 0, peak_ = 0;
};

// Owns one block; the device must be the current one when it is made and when it goes. Whatever used the block is over by then.
class DeviceBlock {
 public:
  DeviceBlock() = default;
  // Throws Error: device-memory when the limit or the device does not have it.
  DeviceBlock(DeviceMemory& memory, std::size_t bytes, Stream stream);
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&& other) noexcept;
  DeviceBlock(const DeviceBlock&) = delete;
  DeviceBlock& operator=(const DeviceBlock&) = delete;
  ~DeviceBlock();
  std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }

 private:
  void reset() noexcept;
  DeviceMemory* memory_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
  Stream stream_ = nullptr;
};

// Cuts a block into arrays of 256-byte aligned beginnings; with a null block it only adds up what they need.
class Carver {
 public:
  explicit Carver(std::byte* block) : block_(block) {}
  template <class T>
  T* take(std::size_t count) {
    auto* part = block_ ? reinterpret_cast<T*>(block_ + used_) : nullptr;
    used_ += (count * sizeof(T) + alignment - 1) / alignment * alignment;
    return count ? part : nullptr;
  }
  std::size_t used() const { return used_; }

 private:
  static constexpr std::size_t alignment = 256;
  std::byte* block_;
  std::size_t used_ = 0;
};

}  // namespace quern::cuda
