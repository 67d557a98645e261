#include "cuda/device_memory.hpp"

#include <utility>

namespace quern::cuda {

void DeviceMemory::raise_peak(std::size_t bytes) {
  std::size_t peak = peak_;
  while (peak < bytes && !peak_.compare_exchange_weak(peak, bytes)) {
  }
}

void DeviceMemory::note_pool(int device) {
  std::size_t taken = 0;
  check(runtime::pool_bytes(device, taken), device_, "asking how much memory the device's pool has taken");
  raise_peak(taken);
  if (taken > limit_) throw error_of(Status::out_of_memory, device_, "keeping the device's pool within --gpu-memory");
}

DeviceBlock::DeviceBlock(DeviceMemory& memory, std::size_t bytes, Stream stream) : stream_(stream) {
  if (bytes == 0) return;
  const std::size_t used = memory.used_.fetch_add(bytes) + bytes;
  Status status = Status::out_of_memory;
  void* pointer = nullptr;
  if (used <= memory.limit_) status = runtime::allocate_async(pointer, bytes, stream);
  if (status != Status::success) {
    memory.used_ -= bytes;
    throw error_of(status, memory.device_, "allocating " + std::to_string((bytes >> 20) + 1) + " MiB");
  }
  memory_ = &memory;
  data_ = static_cast<std::byte*>(pointer);
  bytes_ = bytes;
  memory.raise_peak(used);
}

DeviceBlock::DeviceBlock(DeviceBlock&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)),
      stream_(other.stream_) {}

DeviceBlock& DeviceBlock::operator=(DeviceBlock&& other) noexcept {
  if (this != &other) {
    reset();
    memory_ = std::exchange(other.memory_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    stream_ = other.stream_;
  }
  return *this;
}

DeviceBlock::~DeviceBlock() { reset(); }

void DeviceBlock::reset() noexcept {
  if (!data_) return;
  static_cast<void>(runtime::free_async(data_, stream_));
  memory_->used_ -= bytes_;
  data_ = nullptr;
}

}  // namespace quern::cuda
