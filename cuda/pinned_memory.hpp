// Page-locked host memory, which the devices copy from and to at the full rate of the link. Where locking is refused, ordinary memory.
#pragma once
#include <mutex>
#include <set>
#include <string>

#include "host/core/memory.hpp"

namespace quern::cuda {

// Thread-safe.
class PinnedMemory final : public HostMemory {
 public:
  void* allocate(std::size_t bytes) override;
  void release(void* pointer, std::size_t bytes) noexcept override;
  std::string refusal() const;  // why memory could not be locked, the first time; empty: it always could

 private:
  mutable std::mutex mutex_;
  std::set<void*> pageable_;
  std::string refusal_;
};

}  // namespace quern::cuda
