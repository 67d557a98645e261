#include "tests/emulation/fake_state.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda/check.hpp"
#include "tests/emulation/device_memory.hpp"

namespace quern::cuda::fake {
namespace {

constexpr std::size_t page = 4096;
constexpr int device_fill = 0xcb, host_fill = 0xa7;  // contents of new memory are nobody's business
std::size_t pages(std::size_t bytes) { return (bytes + page - 1) / page * page; }

// Between pages that nobody may touch, its end as close to the last one as its alignment allows.
std::byte* map_block(std::size_t bytes, int fill) {
  void* memory = mmap(nullptr, pages(bytes) + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) broken_rule("the machine has no memory for an emulated device");
  auto* first = static_cast<std::byte*>(memory) + page;
  mprotect(first, pages(bytes), PROT_READ | PROT_WRITE);
  std::memset(first, fill, pages(bytes));
  return first;
}
void unmap_block(void* pointer, std::size_t bytes) { munmap(static_cast<std::byte*>(pointer) - page, pages(bytes) + 2 * page); }

std::uint64_t fingerprint(const void* pointer, std::size_t bytes) {
  const auto* bytes_at = static_cast<const unsigned char*>(pointer);
  std::uint64_t hash = bytes;
  for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ bytes_at[i]) * 0x9e3779b97f4a7c15U;
  return hash;
}

std::uintptr_t address(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }
bool overlap(const void* a, std::size_t a_bytes, const void* b, std::size_t b_bytes) {
  return address(a) < address(b) + b_bytes && address(b) < address(a) + a_bytes;
}

}  // namespace

void broken_rule(const std::string& what) {
  std::fprintf(stderr, "fake CUDA: %s\n", what.c_str());
  std::abort();
}

FakeState& FakeState::get() {
  static FakeState state;
  return state;
}

FakeState::~FakeState() {
  if (settings_.log_path.empty()) return;
  std::FILE* log = std::fopen(settings_.log_path.c_str(), "w");
  if (!log) broken_rule("cannot write " + settings_.log_path);
  std::fprintf(log, "{\"calls\": {");
  const char* separator = "";
  for (const auto& [kind, n] : calls_) {
    std::fprintf(log, "%s\"%s\": %lld", separator, kind.c_str(), static_cast<long long>(n));
    separator = ", ";
  }
  std::size_t peak = 0;
  for (const auto& [device, bytes] : peak_) peak = std::max(peak, bytes);
  std::fprintf(
      log,
      "}, \"peak_bytes\": %zu, \"devices_used\": %zu, \"left\": {\"blocks\": %zu, \"locked\": %zu, \"streams\": %zu, \"events\": %zu}}\n",
      peak, peak_.size(), device_blocks_.size(), host_blocks_.size(), streams_.size(), events_.size());
  std::fclose(log);
}

Status FakeState::count(const char* kind) {
  const std::scoped_lock lock(mutex_);
  const std::int64_t nth = ++calls_[kind];
  ++all_calls_;
  if (sticky_ != Status::success) return sticky_;
  for (const PlannedFailure& failure : settings_.failures) {
    const std::int64_t number = failure.kind == "*" ? all_calls_ : nth;
    if ((failure.kind != "*" && failure.kind != kind) || (failure.and_later ? number < failure.nth : number != failure.nth)) continue;
    const auto status = static_cast<Status>(failure.code);
    if (is_sticky(status)) sticky_ = status;
    return status;
  }
  return Status::success;
}

std::int64_t FakeState::calls(const char* kind) {
  const std::scoped_lock lock(mutex_);
  return calls_[kind];
}

std::size_t FakeState::free_bytes(int device) {
  const std::scoped_lock lock(mutex_);
  return settings_.memory_bytes - used_[device];
}

std::size_t FakeState::in_pieces(std::size_t bytes) const {
  const std::size_t piece = settings_.pool_bytes;
  return (bytes + piece - 1) / piece * piece;
}

void FakeState::limit_pool(int device, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  pool_limit_[device] = bytes;
}

std::size_t FakeState::pool_bytes(int device) {
  const std::scoped_lock lock(mutex_);
  return peak_[device];
}

void FakeState::trim_pool(int device) {
  const std::scoped_lock lock(mutex_);
  pool_[device] = in_pieces(used_[device]);
}

Status FakeState::allocate(void*& pointer, std::size_t bytes, int device) {
  const std::scoped_lock lock(mutex_);
  const std::size_t taken = std::max(pool_[device], in_pieces(used_[device] + bytes));
  if (taken > settings_.memory_bytes || (pool_limit_.count(device) && taken > pool_limit_[device])) return Status::out_of_memory;
  pointer = map_block(bytes, device_fill);
  device_blocks_[address(pointer)] = {bytes, device};
  used_[device] += bytes;
  pool_[device] = taken;
  peak_[device] = std::max(peak_[device], taken);
  emulation::register_device_memory(pointer, bytes);
  return Status::success;
}

void FakeState::free(void* pointer) {
  const std::scoped_lock lock(mutex_);
  const auto found = device_blocks_.find(address(pointer));
  if (found == device_blocks_.end()) broken_rule("freed what is no block of device memory");
  check_idle(pointer, found->second.bytes, "device memory was freed");
  used_[found->second.device] -= found->second.bytes;
  emulation::forget_device_memory(pointer);
  unmap_block(pointer, found->second.bytes);
  device_blocks_.erase(found);
}

Status FakeState::lock_host(void*& pointer, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  pointer = map_block(bytes, host_fill);
  host_blocks_[address(pointer)] = {bytes, -1};
  return Status::success;
}

void FakeState::unlock_host(void* pointer) {
  const std::scoped_lock lock(mutex_);
  const auto found = host_blocks_.find(address(pointer));
  if (found == host_blocks_.end()) broken_rule("unlocked what is no block of page-locked memory");
  check_idle(pointer, found->second.bytes, "page-locked memory was given back");
  unmap_block(pointer, found->second.bytes);
  host_blocks_.erase(found);
}

const Block* FakeState::block_of(const void* pointer, std::size_t bytes, std::map<std::uintptr_t, Block>& blocks) {
  auto next = blocks.upper_bound(address(pointer));
  if (next == blocks.begin()) return nullptr;
  const auto& [begin, block] = *--next;
  return address(pointer) + bytes <= begin + block.bytes ? &block : nullptr;
}

bool FakeState::is_device_memory(const void* pointer, std::size_t bytes, int device) {
  const std::scoped_lock lock(mutex_);
  const Block* block = block_of(pointer, bytes, device_blocks_);
  return block && (device < 0 || block->device == device);
}

bool FakeState::touches_device_memory(const void* pointer, std::size_t bytes) {
  const std::scoped_lock lock(mutex_);
  for (const auto& [begin, block] : device_blocks_)
    if (address(pointer) < begin + block.bytes && begin < address(pointer) + bytes) return true;
  return false;
}

FakeStream* FakeState::create_stream(int device) {
  const std::scoped_lock lock(mutex_);
  auto stream = std::make_unique<FakeStream>();
  stream->device = device;
  return (streams_[stream.get()] = std::move(stream)).get();
}

void FakeState::destroy_stream(FakeStream* stream) {
  const std::scoped_lock lock(mutex_);
  if (!streams_.count(stream)) broken_rule("destroyed what is no stream");
  if (!stream->waiting.empty() && sticky_ == Status::success)
    broken_rule("a stream was destroyed with work on it: " + stream->waiting.front().what);
  streams_.erase(stream);
}

FakeEvent* FakeState::create_event() {
  const std::scoped_lock lock(mutex_);
  auto event = std::make_unique<FakeEvent>();
  return (events_[event.get()] = std::move(event)).get();
}

void FakeState::destroy_event(FakeEvent* event) {
  const std::scoped_lock lock(mutex_);
  if (events_.erase(event) == 0) broken_rule("destroyed what is no event");
}

void FakeState::enqueue(FakeStream* stream, Operation operation) {
  const std::scoped_lock lock(mutex_);
  if (!streams_.count(stream)) broken_rule("enqueued on what is no stream");
  operation.fingerprint = fingerprint(operation.host, operation.host_bytes);
  stream->waiting.push_back(std::move(operation));
  ++stream->enqueued;
}

void FakeState::record(FakeEvent* event, FakeStream* stream) {
  const std::scoped_lock lock(mutex_);
  if (!events_.count(event) || !streams_.count(stream)) broken_rule("recorded what is no event, or on no stream");
  *event = {stream, stream->enqueued};
}

void FakeState::run_until(FakeStream& stream, std::uint64_t operation) {
  while (stream.done < operation) {
    const Operation next = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    ++stream.done;
    if (sticky_ != Status::success) continue;  // nothing runs any more
    if (fingerprint(next.host, next.host_bytes) != next.fingerprint) broken_rule("host memory changed while it waited for: " + next.what);
    try {
      next.work();
    } catch (const std::exception& fault) {
      broken_rule(next.what + ": " + fault.what());
    }
  }
}

void FakeState::finish(FakeStream* stream) {
  const std::scoped_lock lock(mutex_);
  if (!streams_.count(stream)) broken_rule("waited for what is no stream");
  run_until(*stream, stream->enqueued);
}

void FakeState::finish(FakeEvent* event) {
  const std::scoped_lock lock(mutex_);
  if (!events_.count(event)) broken_rule("waited for what is no event");
  if (event->stream) run_until(*event->stream, event->after);
}

void FakeState::check_idle(const void* pointer, std::size_t bytes, const char* what) {
  if (sticky_ != Status::success) return;
  for (const auto& [key, stream] : streams_)
    for (const Operation& operation : stream->waiting)
      if (overlap(pointer, bytes, operation.host, operation.host_bytes) ||
          overlap(pointer, bytes, operation.device, operation.device_bytes))
        broken_rule(std::string(what) + " before this was over: " + operation.what);
}

}  // namespace quern::cuda::fake
