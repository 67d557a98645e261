// Takes the place of cli/backends.cpp in the program `emulated/quern`: the same command line, computed by the kernels on the model of a
// device. No lanes, no ring of pinned memory: only what the kernels make of every chunk. QUERN_EMULATION_ORDER = ascending, descending
// or shuffled. Chunks of more than 100,000 values run without the checks of accesses.
#include <cstdlib>
#include <mutex>
#include <string_view>

#include "cli/backends.hpp"
#include "tests/emulation/emulated_pass.hpp"

namespace quern {
namespace {

constexpr std::int64_t checked_nnz = 100000;
constexpr cuda::DeviceShape device{3, 64 * 1024};

emulation::LaneOrder order_asked_for() {
  const char* word = std::getenv("QUERN_EMULATION_ORDER");
  const std::string_view order = word ? word : "ascending";
  return order == "shuffled"     ? emulation::LaneOrder::shuffled
         : order == "descending" ? emulation::LaneOrder::descending
                                 : emulation::LaneOrder::ascending;
}

class KernelRun final : public Run {
 public:
  KernelRun(const OpSpec& ops, const MatrixShape& shape)
      : ops_(ops), shape_(shape), pass_(emulation::EmulatedPass::make(ops, static_cast<std::uint32_t>(shape.n_cols), device)) {}

  void submit(const CsrChunkView<MemorySpace::host>& chunk, RowBlock& rows) override {
    if (ops_.integer_mode && !chunk.facts.whole) throw NeedsGeneralMode();
    const emulation::HostChunk copy(chunk);
    const std::scoped_lock lock(mutex_);
    emulation::Codes codes;
    codes.columns = chunk.n_cols <= 65536 ? cuda::ColumnCode::u16 : cuda::ColumnCode::u32;
    codes.values = chunk.value_type == ValueType::f64 ? cuda::ValueCode::f64 : cuda::ValueCode::f32;
    if (chunk.facts.whole && (chunks_++ & 1)) codes.values = cuda::ValueCode::u8;  // every other chunk: both ways
    pass_->fold(copy, codes, {{order_asked_for(), 1, chunk.nnz() <= checked_nnz}, 64}, rows);
  }
  ColumnResults finish() override { return pass_->finish(shape_.n_rows); }

 private:
  OpSpec ops_;
  MatrixShape shape_;
  std::unique_ptr<emulation::EmulatedPass> pass_;
  std::mutex mutex_;
  std::int64_t chunks_ = 0;
};

class KernelBackend final : public Backend {
 public:
  std::string name() const override { return "cuda"; }
  std::string device() const override { return "the model of a device"; }
  HostMemory& ring_memory() override { return pageable_memory(); }
  std::size_t least_bytes(const OpSpec&, const MatrixShape&) const override { return 0; }
  std::unique_ptr<Run> open(const OpSpec& ops, const MatrixShape& shape, MemoryBudget&, std::size_t) override {
    return std::make_unique<KernelRun>(ops, shape);
  }
};

}  // namespace

namespace cli {

bool cuda_is_built() { return true; }
std::string cuda_state() { return "the kernels run on the model of a device"; }
std::string processor_name() { return "processor"; }
BackendChoice choose_backend(const std::string&, int) { return {std::make_unique<KernelBackend>(), cuda_state()}; }

}  // namespace cli
}  // namespace quern
