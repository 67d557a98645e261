#include "cuda/cuda_mapping.hpp"

#include <algorithm>

#include "cuda/lane_pool.hpp"
#include "cuda/map_lane.hpp"

namespace quern::cuda {
namespace {

// What one copy to a device carries at most, and at least where there is little room.
constexpr std::int64_t most_piece_nnz = 1 << 20, least_piece_nnz = 1 << 12;

class CudaMapping final : public Mapping {
 public:
  CudaMapping(const MapPass& pass, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget)
      : room_(room),
        staging_(room.host, budget.claim("page-locked buffers of lanes", LaneStaging::bytes * static_cast<std::size_t>(room.lanes))) {
    const std::int64_t nnz = shape.nnz < 0 ? most_piece_nnz : shape.nnz;
    const WorkingSet wanted{lanes_each(room.lanes, room.devices.size()),
                            static_cast<std::int32_t>(std::clamp<std::int64_t>(shape.n_rows, 1, most_piece_rows)),
                            static_cast<std::int32_t>(std::clamp<std::int64_t>(nnz, 1, most_piece_nnz))};
    const auto least_nnz = std::min<std::int32_t>(wanted.max_nnz, least_piece_nnz);
    allocate_what_fits(
        wanted, least_nnz, room.small_buffers, [&](const WorkingSet& set) { allocate(pass, set, room); },
        [&] {
          lanes_.clear();
          give_back_pools(room);
        });
  }

  void submit(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, void* out) override {
    room_.traffic.begin_chunk();
    const auto lane = lanes_.lease();
    lane->use_device();
    CsrChunkView<MemorySpace::host> values = chunk;
    values.overwritable = out == chunk.values;  // the results take their place
    room_.traffic.add(lane->compute(values, divisors, static_cast<std::byte*>(out)));
  }

 private:
  void allocate(const MapPass& pass, const WorkingSet& set, const RunRoom& room) {
    make_lanes_in_turn(set, room.devices.size(), room.lanes, [&](std::size_t lane, std::size_t d) {
      Device& device = *room.devices[d];
      check(runtime::set_device(device.facts.index), device.memory.device(), "choosing the device");
      const LaneStaging staging(staging_.data() + lane * LaneStaging::bytes);
      lanes_.add(std::make_unique<MapLane>(device.facts.index, pass, set, staging, device.memory));
    });
    for (const auto& device : room.devices) {
      check(runtime::set_device(device->facts.index), device->memory.device(), "choosing the device");
      device->memory.note_pool(device->facts.index);
    }
  }

  RunRoom room_;
  HostBlock staging_;
  LanePool<MapLane> lanes_;
};

}  // namespace

std::unique_ptr<Mapping> make_mapping(const ValueMap& map, ValueType out_type, const MatrixShape& shape, const RunRoom& room,
                                      MemoryBudget& budget) {
  return std::make_unique<CudaMapping>(MapPass{map, out_type}, shape, room, budget);
}

}  // namespace quern::cuda
