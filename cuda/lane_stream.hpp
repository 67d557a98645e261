// What every lane works with: a stream and the event that says when a piece of work is over.
#pragma once
#include <string>

#include "cuda/stream.hpp"

namespace quern::cuda {

struct CopiedBytes {
  std::uint64_t to_device = 0, to_host = 0;
};

class LaneStream {
 public:
  // The device is the current one; `name` outlives this.
  LaneStream(int device, const std::string& name) : device_(device), name_(name), stream_(name), done_(name) {}
  Stream get() const { return stream_.get(); }
  void use_device() const { check(runtime::set_device(device_), name_, "choosing the device"); }

  void copy(void* to, const void* from, std::size_t bytes, CopyTo direction) {
    if (bytes == 0) return;
    const char* what = direction == CopyTo::device ? "copying a chunk to the device" : "copying results from the device";
    check(runtime::copy_async(to, from, bytes, direction, get()), name_, what);
    (direction == CopyTo::device ? copied_.to_device : copied_.to_host) += bytes;
  }
  void clear(void* device_pointer, std::size_t bytes) {
    if (bytes > 0) check(runtime::clear_async(device_pointer, bytes, get()), name_, "clearing sums");
  }
  void check_launches() { check(runtime::last_error(), name_, "starting kernels on a chunk"); }

  // Runs what enqueues on the stream and waits for it. Nothing of it touches host memory after this has returned or thrown. Returns what
  // it has copied.
  template <class Enqueue>
  CopiedBytes run(const Enqueue& enqueue) {
    copied_ = {};
    try {
      enqueue();
      check(runtime::record_event(done_.get(), get()), name_, "marking the end of a chunk");
      check(runtime::synchronize_event(done_.get()), name_, "computing a chunk");
    } catch (...) {
      static_cast<void>(runtime::synchronize_stream(get()));  // what was enqueued still reads the chunk
      throw;
    }
    return copied_;
  }

 private:
  int device_;
  const std::string& name_;
  OwnedStream stream_;
  OwnedEvent done_;
  CopiedBytes copied_;
};

}  // namespace quern::cuda
