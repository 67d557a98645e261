// One pass over a matrix on the devices.
#pragma once
#include <memory>
#include <vector>

#include "cuda/device_memory.hpp"
#include "cuda/pinned_memory.hpp"
#include "cuda/runtime.hpp"
#include "cuda/traffic_meter.hpp"
#include "host/core/backend.hpp"
#include "host/ops/op_spec.hpp"

namespace quern::cuda {

struct Device {
  Device(DeviceFacts facts_of_it, std::size_t limit_bytes);
  DeviceFacts facts;
  DeviceMemory memory;
};

// What the runs of one backend share.
struct RunRoom {
  std::vector<std::unique_ptr<Device>>& devices;
  PinnedMemory& host;
  int lanes = 1;  // wanted, of all devices together
  std::int64_t rows_between_carries = 0;
  std::string& small_buffers;  // in words, when the devices had no room for more
  TrafficMeter& traffic;
};

// What a failed try to find room has left in the devices' pools. Errors show in the next try.
void give_back_pools(const RunRoom& room);

std::unique_ptr<Run> make_run(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget);
std::size_t run_host_bytes(const OpSpec& ops, const MatrixShape& shape, int lanes);  // that it claims

}  // namespace quern::cuda
