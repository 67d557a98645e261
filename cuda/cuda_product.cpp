#include "cuda/cuda_product.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "cuda/lane_pool.hpp"
#include "cuda/product_lane.hpp"

namespace quern::cuda {
namespace {

// What one copy to a device carries at most, and at least where there is little room.
constexpr std::int64_t most_piece_nnz = 1 << 20, least_piece_nnz = 1 << 12, most_piece_numbers = 1 << 20;

// Every NaN is the same, since processors make different ones.
void unify_nan(std::span<double> values) {
  for (double& value : values)
    if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
}

// Memory of one device that lasts as long as the product.
struct Resident {
  LaneStream stream;
  DeviceBlock block;
  Resident(Device& device, std::size_t bytes)
      : stream(device.facts.index, device.memory.device()), block(device.memory, bytes, stream.get()) {}
};

class CudaProduct final : public Product {
 public:
  CudaProduct(const ProductSpec& spec, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget)
      : room_(room),
        n_devices_(spec.transposed ? 1 : room.devices.size()),
        n_lanes_(spec.transposed ? 1 : room.lanes),
        staging_(room.host, budget.claim("page-locked buffers of lanes", LaneStaging::bytes * static_cast<std::size_t>(n_lanes_))) {
    pass_.spec = spec;
    pass_.n_genes = shape.n_cols;
    if (spec.transposed) result_ = HostBlock(pageable_memory(), budget.claim("result of the product", n_sums() * sizeof(double)));
    const std::int64_t nnz = shape.nnz < 0 ? most_piece_nnz : shape.nnz;
    const std::int64_t most_rows = std::max<std::int64_t>(1, std::min<std::int64_t>(most_piece_rows, most_piece_numbers / spec.b.n_cols));
    const WorkingSet wanted{lanes_each(n_lanes_, n_devices_),
                            static_cast<std::int32_t>(std::clamp<std::int64_t>(shape.n_rows, 1, most_rows)),
                            static_cast<std::int32_t>(std::clamp<std::int64_t>(nnz, 1, most_piece_nnz))};
    const auto least_nnz = std::min<std::int32_t>(wanted.max_nnz, least_piece_nnz);
    allocate_what_fits(
        wanted, least_nnz, room.small_buffers, [&](const WorkingSet& set) { allocate(set); },
        [&] {
          clear();
          give_back_pools(room_);
        });
  }

  ~CudaProduct() override { clear(); }
  CudaProduct(const CudaProduct&) = delete;
  CudaProduct& operator=(const CudaProduct&) = delete;

  void multiply(const CsrChunkView<MemorySpace::host>& chunk, double* rows) override {
    room_.traffic.begin_chunk();
    {
      const auto lane = lanes_.lease();
      lane->use_device();
      room_.traffic.add(lane->multiply(chunk, rows));
    }
    unify_nan({rows, static_cast<std::size_t>(chunk.n_rows) * static_cast<std::size_t>(pass_.spec.b.n_cols)});
  }

  void fold(const CsrChunkView<MemorySpace::host>& chunk) override {
    room_.traffic.begin_chunk();
    const auto lane = lanes_.lease();
    lane->use_device();
    room_.traffic.add(lane->fold(chunk));
  }

  std::span<const double> finish() override {
    auto* const result = reinterpret_cast<double*>(result_.data());
    const auto lane = lanes_.lease();
    lane->use_device();
    room_.traffic.add(lane->stream().run([&] { lane->stream().copy(result, pass_.sums, n_sums() * sizeof(double), CopyTo::host); }));
    unify_nan({result, n_sums()});
    return {result, n_sums()};
  }

 private:
  std::size_t n_sums() const { return static_cast<std::size_t>(pass_.n_genes) * static_cast<std::size_t>(pass_.spec.b.n_cols); }

  // B, or the sums, in the memory of a device.
  void make_resident(Device& device) {
    const DenseView& b = pass_.spec.b;
    const std::size_t factor_bytes = static_cast<std::size_t>(b.n_rows) * static_cast<std::size_t>(b.n_cols) * size_of(b.type);
    const std::size_t bytes = pass_.spec.transposed ? n_sums() * sizeof(double) : factor_bytes;
    Resident& resident = *residents_.emplace_back(std::make_unique<Resident>(device, bytes));
    room_.traffic.begin_chunk();
    room_.traffic.add(resident.stream.run([&] {
      if (pass_.spec.transposed)
        resident.stream.clear(resident.block.data(), bytes);
      else
        resident.stream.copy(resident.block.data(), b.values, bytes, CopyTo::device);
    }));
  }

  void allocate(const WorkingSet& set) {
    for (std::size_t d = 0; d < n_devices_; ++d) {
      use(d);
      make_resident(*room_.devices[d]);
    }
    make_lanes_in_turn(set, n_devices_, n_lanes_, [&](std::size_t lane, std::size_t d) {
      use(d);
      ProductPass pass = pass_;
      auto* const resident = residents_[d]->block.data();
      if (pass.spec.transposed)
        pass.sums = pass_.sums = reinterpret_cast<double*>(resident);
      else
        pass.b = resident;
      const LaneStaging staging(staging_.data() + lane * LaneStaging::bytes);
      Device& device = *room_.devices[d];
      lanes_.add(std::make_unique<ProductLane>(device.facts.index, pass, set, staging, device.memory));
    });
    for (std::size_t d = 0; d < n_devices_; ++d) {
      use(d);
      room_.devices[d]->memory.note_pool(room_.devices[d]->facts.index);
    }
  }

  void use(std::size_t d) const {
    const Device& device = *room_.devices[d];
    check(runtime::set_device(device.facts.index), device.memory.device(), "choosing the device");
  }

  void clear() noexcept {
    lanes_.clear();
    residents_.clear();
  }

  RunRoom room_;
  std::size_t n_devices_;
  int n_lanes_;
  ProductPass pass_;
  HostBlock staging_, result_;
  std::vector<std::unique_ptr<Resident>> residents_;  // one a device
  LanePool<ProductLane> lanes_;
};

}  // namespace

std::unique_ptr<Product> make_product(const ProductSpec& spec, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget) {
  return std::make_unique<CudaProduct>(spec, shape, room, budget);
}

}  // namespace quern::cuda
