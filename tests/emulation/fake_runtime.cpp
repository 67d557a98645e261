#include "tests/emulation/fake_runtime.hpp"

#include <cstring>
#include <utility>

#include "tests/emulation/fake_state.hpp"

namespace quern::cuda {
namespace {

using fake::FakeEvent;
using fake::FakeState;
using fake::FakeStream;

thread_local int current_device = 0;
thread_local Status launch_error = Status::success;  // of this thread, until it is asked for

FakeState& state() { return FakeState::get(); }
FakeStream* ours(Stream stream) { return reinterpret_cast<FakeStream*>(stream); }
FakeEvent* ours(Event event) { return reinterpret_cast<FakeEvent*>(event); }

constexpr int toolkit = 13000;

}  // namespace

namespace runtime {

int version() { return toolkit; }

Status driver_version(int& number) {
  const std::string& driver = state().settings().driver;
  number = driver == "none" ? 0 : driver == "old" ? 12020 : toolkit;
  return state().count("driver_version");
}

Status device_count(int& count) {
  const auto& settings = state().settings();
  if (const Status status = state().count("device_count"); status != Status::success) return status;
  if (settings.driver == "none" || settings.driver == "old") return Status::old_driver;
  if (settings.driver == "mismatch") return Status::driver_mismatch;
  if (settings.driver == "unavailable") return Status::devices_unavailable;
  count = settings.devices;
  return count > 0 ? Status::success : Status::no_device;
}

Status device_facts(int device, DeviceFacts& facts) {
  if (const Status status = state().count("device_facts"); status != Status::success) return status;
  const auto& settings = state().settings();
  const std::string number = std::to_string(device);
  facts = {device,
           "Emulated device " + number,
           "GPU-e0000000-0000-0000-0000-00000000000" + number,
           "0000:0" + number + ":00.0",
           settings.major,
           0,
           3,
           settings.memory_bytes,
           settings.mode == "prohibited" ? ComputeMode::prohibited : ComputeMode::shared};
  return Status::success;
}

Status set_device(int device) {
  if (const Status status = state().count("set_device"); status != Status::success) return status;
  if (device < 0 || device >= state().settings().devices) return Status::invalid_device;
  current_device = device;
  const std::string& mode = state().settings().mode;
  return mode == "busy" || mode == "busy:" + std::to_string(device) ? Status::devices_unavailable : Status::success;
}

Status memory_info(std::size_t& free_bytes, std::size_t& total_bytes) {
  free_bytes = state().free_bytes(current_device);
  total_bytes = state().settings().memory_bytes;
  return state().count("memory_info");
}

Status create_stream(Stream& stream) {
  const Status status = state().count("create_stream");
  if (status == Status::success) stream = reinterpret_cast<Stream>(state().create_stream(current_device));
  return status;
}
Status destroy_stream(Stream stream) {
  state().destroy_stream(ours(stream));
  return state().count("destroy_stream");
}
Status synchronize_stream(Stream stream) {
  const Status status = state().count("synchronize_stream");
  state().finish(ours(stream));  // what was enqueued is over even when the call fails
  return status;
}

Status create_event(Event& event) {
  const Status status = state().count("create_event");
  if (status == Status::success) event = reinterpret_cast<Event>(state().create_event());
  return status;
}
Status destroy_event(Event event) {
  state().destroy_event(ours(event));
  return state().count("destroy_event");
}
Status record_event(Event event, Stream stream) {
  const Status status = state().count("record_event");
  if (status == Status::success) state().record(ours(event), ours(stream));
  return status;
}
Status synchronize_event(Event event) {
  const Status status = state().count("synchronize_event");
  if (status == Status::success) state().finish(ours(event));
  return status;
}

Status make_pool(int device, std::size_t limit_bytes) {
  const Status status = state().count("make_pool");
  if (status == Status::success) state().limit_pool(device, limit_bytes);
  return status;
}
Status drop_pool(int device) {
  state().limit_pool(device, SIZE_MAX);
  return state().count("drop_pool");
}
Status pool_bytes(int device, std::size_t& bytes) {
  bytes = state().pool_bytes(device);
  return state().count("pool_bytes");
}
Status trim_pool(int device) {
  state().trim_pool(device);
  return state().count("trim_pool");
}

Status allocate_async(void*& pointer, std::size_t bytes, Stream stream) {
  const Status status = state().count("allocate");
  return status == Status::success ? state().allocate(pointer, bytes, ours(stream)->device) : status;
}
Status free_async(void* pointer, Stream) {
  state().free(pointer);
  return state().count("free");
}

Status lock_host(void*& pointer, std::size_t bytes) {
  const Status status = state().count("lock_host");
  return status == Status::success ? state().lock_host(pointer, bytes) : status;
}
Status unlock_host(void* pointer) {
  state().unlock_host(pointer);
  return state().count("unlock_host");
}

Status copy_async(void* to, const void* from, std::size_t bytes, CopyTo direction, Stream stream) {
  const bool up = direction == CopyTo::device;
  const void* device = up ? to : from;
  const void* host = up ? from : to;
  if (!state().is_device_memory(device, bytes, ours(stream)->device)) fake::broken_rule("a copy's device side is no memory of its device");
  if (state().touches_device_memory(host, bytes)) fake::broken_rule("a copy's host side is device memory");
  const Status status = state().count(up ? "copy_up" : "copy_down");
  if (status != Status::success) return status;
  const bool flip = !up && state().calls("copy_down") == state().settings().flipped_copy;
  const auto work = [=] {
    std::memcpy(to, from, bytes);
    if (flip) *static_cast<unsigned char*>(to) ^= 1;
  };
  state().enqueue(ours(stream), {up ? "a copy to the device" : "a copy to the host", work, host, bytes, device, bytes});
  return status;
}

Status clear_async(void* device_pointer, std::size_t bytes, Stream stream) {
  if (!state().is_device_memory(device_pointer, bytes, ours(stream)->device)) fake::broken_rule("cleared what is no memory of the device");
  const Status status = state().count("clear");
  if (status != Status::success) return status;
  state().enqueue(ours(stream), {"clearing", [=] { std::memset(device_pointer, 0, bytes); }, nullptr, 0, device_pointer, bytes});
  return status;
}

Status last_error() {
  const Status status = state().count("last_error");
  const Status pending = std::exchange(launch_error, Status::success);
  return status != Status::success ? status : pending;
}

std::string error_name(Status status) { return "cudaError " + std::to_string(static_cast<int>(status)); }
std::string error_text(Status status) { return status == Status::success ? "no error" : "an error that the fake runtime was told to make"; }

}  // namespace runtime

namespace fake {

void enqueue(Stream stream, const char* kernel, std::function<void()> work) {
  const Status status = state().count("launch");
  if (status != Status::success)
    launch_error = status;
  else
    state().enqueue(ours(stream), {kernel, std::move(work), nullptr, 0, nullptr, 0});
}

bool is_device_memory(const void* pointer, std::size_t bytes) { return state().is_device_memory(pointer, bytes); }

}  // namespace fake
}  // namespace quern::cuda
