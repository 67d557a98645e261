// A stand-in for the CUDA runtime (cuda/runtime.hpp), linked in its place. "Device" memory is host memory of its own; what is enqueued on a
// stream runs when somebody waits for it and not before; every rule that a device would enforce, or silently let pass, ends the process
// with a line on standard error:
//   - an address on the wrong side of a copy, out of an allocation's bounds, or of another device;
//   - memory changed, freed or unlocked while a copy that reads or writes it is on its way (a slot reused before its event);
//   - anything a kernel does that the emulation does not allow (grid.hpp).
// What it can be told to do: fake_settings.hpp.
#pragma once
#include <cstddef>
#include <functional>

#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda::fake {

// What an emulated launch does: `work` runs when the stream gets to it, on some thread, before anything enqueued later on that stream.
// Counts as one call of the kind "launch" (which may be told to fail: `work` is then dropped).
void enqueue(Stream stream, const char* kernel, std::function<void()> work);

// Whether [pointer, pointer + bytes) lies within one live allocation of device memory.
bool is_device_memory(const void* pointer, std::size_t bytes);

}  // namespace quern::cuda::fake
