#include "cuda/cuda_run.hpp"

#include <algorithm>
#include <shared_mutex>

#include "cuda/gene_sums.hpp"
#include "cuda/lane.hpp"
#include "cuda/lane_pool.hpp"
#include "cuda/working_set.hpp"

namespace quern::cuda {
namespace {

PassSpec pass_of(const OpSpec& ops, const MatrixShape& shape) {
  PassSpec pass;
  pass.n_cols = static_cast<std::uint32_t>(shape.n_cols);
  pass.n_top = static_cast<std::int32_t>(ops.rows.percent_top.size());
  pass.n_sets = ops.n_gene_sets;
  pass.moments = ops.columns.moments;
  pass.whole = ops.integer_mode;
  pass.value_type = ops.value_type;
  return pass;
}

std::size_t result_bytes(const PassSpec& pass) {
  return pass.n_cols * (sizeof(std::int64_t) + sizeof(Total) + (pass.moments ? 4 * sizeof(double) : 0));
}

std::size_t host_table_bytes(const PassSpec& pass) { return table_bytes(pass) + gene_sums_bytes(pass); }

class CudaRun final : public Run {
 public:
  CudaRun(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget)
      : ops_(ops),
        shape_(shape),
        room_(room),
        pass_(pass_of(ops, shape)),
        results_claim_(budget.claim("results of genes", result_bytes(pass_))),
        tables_claim_(budget.claim("gene tables", host_table_bytes(pass_))),
        staging_(room.host, budget.claim("page-locked buffers of lanes", LaneStaging::bytes * static_cast<std::size_t>(room.lanes))) {}

  ~CudaRun() override { clear(); }

  void prepare(const SlotShape& largest) override;
  void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) override;
  ColumnResults finish() override;

 private:
  void allocate(const WorkingSet& wanted);
  void clear() noexcept;
  void use(const Device& device) const { check(runtime::set_device(device.facts.index), device.memory.device(), "choosing the device"); }
  void carry_before(std::int32_t n_rows);

  OpSpec ops_;
  MatrixShape shape_;
  RunRoom room_;
  PassSpec pass_;
  Claim results_claim_, tables_claim_;
  HostBlock staging_;
  std::vector<std::unique_ptr<GeneMemory>> genes_;  // one a device
  LanePool<Lane> lanes_;
  std::shared_mutex carrying_;  // held by all who fold; alone by who carries
  std::atomic<std::int64_t> rows_since_carry_ = 0;
};

void CudaRun::prepare(const SlotShape& largest) {
  const WorkingSet wanted{lanes_each(room_.lanes, room_.devices.size()), std::clamp(largest.max_rows, 1, most_piece_rows),
                          std::max(largest.max_nnz, 1)};
  // A piece holds the longest row.
  const auto longest_row = static_cast<std::int32_t>(std::min<std::int64_t>(wanted.max_nnz, shape_.n_cols));
  allocate_what_fits(
      wanted, longest_row, room_.small_buffers, [&](const WorkingSet& set) { allocate(set); },
      [&] {
        clear();
        give_back_pools(room_);
      });
}

void CudaRun::allocate(const WorkingSet& wanted) {
  pass_.max_rows = wanted.max_rows;
  pass_.max_nnz = wanted.max_nnz;
  for (const auto& device : room_.devices) {
    use(*device);
    genes_.push_back(std::make_unique<GeneMemory>(pass_, ops_.rows.percent_top, ops_.gene_sets, device->memory));
  }
  make_lanes_in_turn(wanted, room_.devices.size(), room_.lanes, [&](std::size_t lane, std::size_t d) {
    use(*room_.devices[d]);
    lanes_.add(std::make_unique<Lane>(room_.devices[d]->facts.index, genes_[d]->pass(), genes_[d]->tables(),
                                      LaneStaging(staging_.data() + lane * LaneStaging::bytes), room_.devices[d]->memory));
  });
  for (const auto& device : room_.devices) {
    use(*device);
    device->memory.note_pool(device->facts.index);
  }
}

void CudaRun::clear() noexcept {
  lanes_.clear();
  genes_.clear();
}

void CudaRun::carry_before(std::int32_t n_rows) {
  if (pass_.whole || rows_since_carry_ + n_rows <= room_.rows_between_carries) return;
  const std::unique_lock alone(carrying_);
  if (rows_since_carry_ + n_rows <= room_.rows_between_carries) return;
  for (std::size_t d = 0; d < genes_.size(); ++d) {
    use(*room_.devices[d]);
    genes_[d]->carry();
  }
  rows_since_carry_ = 0;
}

void CudaRun::submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) {
  if (pass_.whole && !chunk.facts.whole) throw NeedsGeneralMode();
  carry_before(chunk.n_rows);
  const std::shared_lock folding(carrying_);
  rows_since_carry_ += chunk.n_rows;
  room_.traffic.begin_chunk();
  const auto lane = lanes_.lease();
  lane->use_device();
  for (std::int32_t first = 0; first < chunk.n_rows;) {
    const std::int32_t most = std::min(chunk.n_rows - first, pass_.max_rows);
    const auto* offsets = chunk.offsets + first;
    // As many rows as the buffers hold.
    const auto fit = std::upper_bound(offsets, offsets + most + 1, offsets[0] + pass_.max_nnz) - offsets - 1;
    const std::int32_t last = first + std::max<std::int32_t>(static_cast<std::int32_t>(fit), 1);
    room_.traffic.add(lane->compute(chunk, first, last, rows));
    first = last;
  }
}

ColumnResults CudaRun::finish() {
  const auto sums = make_gene_sums(pass_);
  std::vector<std::byte> tables(table_bytes(pass_));
  for (std::size_t d = 0; d < genes_.size(); ++d) {
    use(*room_.devices[d]);
    genes_[d]->download(tables.data());
    sums->add(tables.data());
  }
  return sums->finish(shape_.n_rows);
}

}  // namespace

Device::Device(DeviceFacts facts_of_it, std::size_t limit_bytes)
    : facts(std::move(facts_of_it)), memory(facts.name + ", " + facts.uuid, limit_bytes) {}

void give_back_pools(const RunRoom& room) {
  for (const auto& device : room.devices)
    if (runtime::set_device(device->facts.index) == Status::success) static_cast<void>(runtime::trim_pool(device->facts.index));
}

std::unique_ptr<Run> make_run(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room, MemoryBudget& budget) {
  return std::make_unique<CudaRun>(ops, shape, room, budget);
}

std::size_t run_host_bytes(const OpSpec& ops, const MatrixShape& shape, int lanes) {
  const PassSpec pass = pass_of(ops, shape);
  return result_bytes(pass) + host_table_bytes(pass) + LaneStaging::bytes * static_cast<std::size_t>(lanes);
}

}  // namespace quern::cuda
