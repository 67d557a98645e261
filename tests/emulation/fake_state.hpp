// What the fake runtime remembers: allocations, streams and what waits on them, calls so far.
#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cuda/runtime.hpp"
#include "tests/emulation/fake_settings.hpp"

namespace quern::cuda::fake {

struct Block {
  std::size_t bytes = 0;
  int device = -1;  // -1: page-locked host memory
};

struct Operation {
  std::string what;
  std::function<void()> work;
  const void* host = nullptr;  // what of the host's memory it reads or writes, unchanged until then
  std::size_t host_bytes = 0;
  const void* device = nullptr;
  std::size_t device_bytes = 0;
  std::uint64_t fingerprint = 0;  // of the host's memory when it was enqueued
};

struct FakeStream {
  int device = 0;
  std::uint64_t enqueued = 0, done = 0;  // operations so far
  std::deque<Operation> waiting;
};

struct FakeEvent {
  FakeStream* stream = nullptr;
  std::uint64_t after = 0;  // so many operations of the stream
};

// Every member function takes the one lock; operations run under it, so that a device does one thing at a time.
class FakeState {
 public:
  static FakeState& get();
  const FakeSettings& settings() const { return settings_; }

  // Counts a call; what it must return when it is told to fail or the device is gone.
  Status count(const char* kind);
  std::int64_t calls(const char* kind);  // so far

  Status allocate(void*& pointer, std::size_t bytes, int device);
  void free(void* pointer);
  Status lock_host(void*& pointer, std::size_t bytes);
  void unlock_host(void* pointer);
  std::size_t free_bytes(int device);
  std::size_t pool_bytes(int device);  // the most taken of the device, in pieces of settings().pool_bytes
  void trim_pool(int device);
  void limit_pool(int device, std::size_t bytes);
  bool is_device_memory(const void* pointer, std::size_t bytes, int device = -1);
  bool touches_device_memory(const void* pointer, std::size_t bytes);

  FakeStream* create_stream(int device);
  void destroy_stream(FakeStream* stream);
  FakeEvent* create_event();
  void destroy_event(FakeEvent* event);
  void enqueue(FakeStream* stream, Operation operation);
  void record(FakeEvent* event, FakeStream* stream);
  void finish(FakeStream* stream);
  void finish(FakeEvent* event);

 private:
  FakeState() : settings_(read_fake_settings()) {}
  ~FakeState();
  std::size_t in_pieces(std::size_t bytes) const;
  void run_until(FakeStream& stream, std::uint64_t operation);
  void check_idle(const void* pointer, std::size_t bytes, const char* what);
  const Block* block_of(const void* pointer, std::size_t bytes, std::map<std::uintptr_t, Block>& blocks);

  FakeSettings settings_;
  std::recursive_mutex mutex_;
  std::map<std::string, std::int64_t> calls_;
  std::int64_t all_calls_ = 0;
  Status sticky_ = Status::success;
  std::map<std::uintptr_t, Block> device_blocks_, host_blocks_;
  std::map<int, std::size_t> used_, peak_, pool_, pool_limit_;
  std::map<FakeStream*, std::unique_ptr<FakeStream>> streams_;
  std::map<FakeEvent*, std::unique_ptr<FakeEvent>> events_;
};

[[noreturn]] void broken_rule(const std::string& what);

}  // namespace quern::cuda::fake
