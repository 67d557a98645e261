// What chunks bring over the link, and from when to when: of all passes of a backend.
#pragma once
#include <chrono>
#include <mutex>

#include "cuda/lane_stream.hpp"
#include "host/core/backend.hpp"

namespace quern::cuda {

// Thread-safe.
class TrafficMeter {
 public:
  void begin_chunk() {
    const std::scoped_lock lock(mutex_);
    if (first_ == Time{}) first_ = Clock::now();
  }
  void add(const CopiedBytes& copied) {
    const std::scoped_lock lock(mutex_);
    traffic_.bytes_to_device += copied.to_device;
    traffic_.bytes_to_host += copied.to_host;
    traffic_.seconds = std::chrono::duration<double>(Clock::now() - first_).count();
  }
  DeviceTraffic traffic() const {
    const std::scoped_lock lock(mutex_);
    return traffic_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Time = Clock::time_point;
  mutable std::mutex mutex_;
  Time first_{};
  DeviceTraffic traffic_;
};

}  // namespace quern::cuda
