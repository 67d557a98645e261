// A stand-in for the CUDA runtime (cuda/runtime.hpp): "device" memory is host memory of its own, streams are queues, and every rule that
// a device would enforce, or silently let pass, is checked. What tests use beyond cuda/runtime.hpp.
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
