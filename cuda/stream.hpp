// Owners of a stream and of an event of the current device. Errors of destruction are not told: what broke has been told before.
#pragma once
#include <string>
#include <utility>

#include "cuda/check.hpp"

namespace quern::cuda {

class OwnedStream {
 public:
  explicit OwnedStream(const std::string& device) { check(runtime::create_stream(stream_), device, "making a stream"); }
  OwnedStream(OwnedStream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  OwnedStream& operator=(OwnedStream&&) = delete;
  OwnedStream(const OwnedStream&) = delete;
  OwnedStream& operator=(const OwnedStream&) = delete;
  ~OwnedStream() {
    if (stream_) static_cast<void>(runtime::destroy_stream(stream_));
  }
  Stream get() const { return stream_; }

 private:
  Stream stream_ = nullptr;
};

class OwnedEvent {
 public:
  explicit OwnedEvent(const std::string& device) { check(runtime::create_event(event_), device, "making an event"); }
  OwnedEvent(OwnedEvent&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  OwnedEvent& operator=(OwnedEvent&&) = delete;
  OwnedEvent(const OwnedEvent&) = delete;
  OwnedEvent& operator=(const OwnedEvent&) = delete;
  ~OwnedEvent() {
    if (event_) static_cast<void>(runtime::destroy_event(event_));
  }
  Event get() const { return event_; }

 private:
  Event event_ = nullptr;
};

}  // namespace quern::cuda
