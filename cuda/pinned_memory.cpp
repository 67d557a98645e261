#include "cuda/pinned_memory.hpp"

#include "cuda/runtime.hpp"

namespace quern::cuda {

void* PinnedMemory::allocate(std::size_t bytes) {
  void* pointer = nullptr;
  const Status status = runtime::lock_host(pointer, bytes);
  if (status == Status::success) return pointer;
  pointer = pageable_memory().allocate(bytes);
  const std::scoped_lock lock(mutex_);
  pageable_.insert(pointer);
  if (refusal_.empty()) refusal_ = runtime::error_text(status) + " (" + runtime::error_name(status) + ")";
  return pointer;
}

void PinnedMemory::release(void* pointer, std::size_t bytes) noexcept {
  {
    const std::scoped_lock lock(mutex_);
    if (pageable_.erase(pointer) == 0) {
      static_cast<void>(runtime::unlock_host(pointer));
      return;
    }
  }
  pageable_memory().release(pointer, bytes);
}

std::string PinnedMemory::refusal() const {
  const std::scoped_lock lock(mutex_);
  return refusal_;
}

}  // namespace quern::cuda
