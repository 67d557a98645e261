// The calls of the CUDA runtime that this folder uses, each under its own name here, so that a stand-in can take their place where there is
// no device (tests/emulation/fake_runtime.cpp). runtime.cpp holds the real ones. Nothing throws: check.hpp makes an Error of a Status.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "cuda/kernels/chunk_args.hpp"

struct CUevent_st;

namespace quern::cuda {

using Event = CUevent_st*;  // cudaEvent_t

// cudaError_t; those that are told apart have names (runtime.cpp compares them with the toolkit's).
enum class Status : int {
  success = 0,
  out_of_memory = 2,
  initialization = 3,
  old_driver = 35,
  stub_driver = 34,
  devices_unavailable = 46,
  no_device = 100,
  invalid_device = 101,
  no_kernel_image = 209,
  ecc_uncorrectable = 214,
  nvlink_uncorrectable = 220,
  unsupported_ptx = 222,
  contained = 226,
  illegal_address = 700,
  launch_timeout = 702,
  device_assert = 710,
  hardware_stack = 714,
  illegal_instruction = 715,
  misaligned_address = 716,
  invalid_address_space = 717,
  invalid_program_counter = 718,
  launch_failure = 719,
  not_permitted = 800,
  system_not_ready = 802,
  driver_mismatch = 803,
  unknown = 999
};

enum class ComputeMode { shared, exclusive, prohibited };

// What the driver says of a device without using it.
struct DeviceFacts {
  int index = 0;  // among the visible ones
  std::string name, uuid, bus;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  std::uint64_t total_bytes = 0;
  ComputeMode mode = ComputeMode::shared;
};

enum class CopyTo { device, host };

namespace runtime {

int version();                       // of the runtime linked in, 13000 for 13.0
Status driver_version(int& number);  // what the driver can do at most; 0: there is no driver
Status device_count(int& count);
Status device_facts(int device, DeviceFacts& facts);
Status set_device(int device);  // of the calling thread
Status memory_info(std::size_t& free_bytes, std::size_t& total_bytes);

Status create_stream(Stream& stream);  // not ordered with any other
Status destroy_stream(Stream stream);
Status synchronize_stream(Stream stream);

Status create_event(Event& event);  // a wait for it sleeps
Status destroy_event(Event event);
Status record_event(Event event, Stream stream);
Status synchronize_event(Event event);

// The device's pool: never more than `limit_bytes` of its memory, where the driver can hold a pool to that; keeps what is freed. Devices
// without pools allocate as of old.
Status make_pool(int device, std::size_t limit_bytes);
Status drop_pool(int device);
Status pool_bytes(int device, std::size_t& bytes);  // the most that the pool has taken of the device, used or not; 0 without pools
Status trim_pool(int device);                       // waits for the device, gives back what nobody uses
// From the pool; 256-byte aligned.
Status allocate_async(void*& pointer, std::size_t bytes, Stream stream);
Status free_async(void* pointer, Stream stream);

Status lock_host(void*& pointer, std::size_t bytes);  // page-locked memory, for every device
Status unlock_host(void* pointer);

Status copy_async(void* to, const void* from, std::size_t bytes, CopyTo direction, Stream stream);
Status clear_async(void* device_pointer, std::size_t bytes, Stream stream);
Status last_error();  // of the launches since it was asked last

std::string error_name(Status status);  // "cudaErrorMemoryAllocation"
std::string error_text(Status status);

}  // namespace runtime
}  // namespace quern::cuda
