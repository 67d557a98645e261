// What tests/emulation/emulated_pass.hpp asks for, done by whatever lies behind cuda/runtime.hpp and cuda/kernels/launches.hpp: a device in
// quern_gpu_kernel_tests, the fake runtime in quern_device_pass_tests. The tests of the kernels then run there; orders of lanes and the
// shape of a device are not theirs to choose.
#include "cuda/gene_memory.hpp"
#include "cuda/gene_sums.hpp"
#include "cuda/kernels/launches.hpp"
#include "cuda/lane_stream.hpp"
#include "tests/emulation/emulated_pass.hpp"

namespace quern::emulation {
namespace {

constexpr std::size_t limit_bytes = std::size_t{1} << 30;
constexpr int poison = 0xcb;

// The first device, chosen for this thread.
cuda::DeviceMemory& device_memory() {
  static cuda::DeviceMemory memory("the first device", limit_bytes);
  cuda::check(cuda::runtime::set_device(0), memory.device(), "choosing the device");
  return memory;
}

// Buffers of one chunk, and the stream that fills them.
class Buffers {
 public:
  cuda::LaneStream& stream() { return stream_; }
  std::byte* make(std::size_t bytes) {
    blocks_.emplace_back(memory_, bytes, stream_.get());
    poisons_.emplace_back(bytes, static_cast<std::byte>(poison));
    stream_.copy(blocks_.back().data(), poisons_.back().data(), bytes, cuda::CopyTo::device);
    return blocks_.back().data();
  }
  const void* upload(const void* data, std::size_t bytes) {
    std::byte* const copy = make(bytes);
    stream_.copy(copy, data, bytes, cuda::CopyTo::device);
    return copy;
  }
  // With its arrays on the device; what it points to stays as it is until the stream is done.
  cuda::DeviceChunk upload(cuda::DeviceChunk chunk) {
    const auto nnz = static_cast<std::size_t>(chunk.nnz);
    chunk.offsets =
        static_cast<const std::int32_t*>(upload(chunk.offsets, (static_cast<std::size_t>(chunk.n_rows) + 1) * sizeof(std::int32_t)));
    chunk.columns = upload(chunk.columns, nnz * size_of(chunk.column_code));
    chunk.values = upload(chunk.values, nnz * size_of(chunk.value_code));
    chunk.escapes =
        static_cast<const cuda::Escape*>(upload(chunk.escapes, static_cast<std::size_t>(chunk.n_escapes) * sizeof(cuda::Escape)));
    return chunk;
  }
  template <class T>
  T* rows(std::size_t count) {
    return reinterpret_cast<T*>(make(count * sizeof(T)));
  }

 private:
  cuda::DeviceMemory& memory_ = device_memory();
  cuda::LaneStream stream_{0, memory_.device()};
  std::vector<std::vector<std::byte>> poisons_;
  std::vector<cuda::DeviceBlock> blocks_;
};

cuda::PassSpec pass_of(const OpSpec& ops, std::uint32_t n_cols) {
  cuda::PassSpec pass;
  pass.n_cols = n_cols;
  pass.n_top = static_cast<std::int32_t>(ops.rows.percent_top.size());
  pass.n_sets = ops.n_gene_sets;
  pass.moments = ops.columns.moments;
  pass.whole = ops.integer_mode;
  pass.value_type = ops.value_type;
  return pass;
}

class DevicePass final : public EmulatedPass {
 public:
  DevicePass(const OpSpec& ops, std::uint32_t n_cols)
      : genes_(pass_of(ops, n_cols), ops.rows.percent_top, ops.gene_sets, device_memory()) {}

  void fold(const HostChunk& chunk, const Codes& codes, const GridLauncher&, const RowBlock& rows) override {
    const CodedChunk coded(chunk, genes_.pass().n_cols, codes);
    const auto n = static_cast<std::size_t>(coded.view().n_rows), n_top = static_cast<std::size_t>(rows.n_top),
               n_sets = static_cast<std::size_t>(rows.n_sets);
    Buffers buffers;
    cuda::LaneStream& stream = buffers.stream();
    cuda::ChunkJob job{genes_.pass(), {}, {}, genes_.tables(), nullptr};
    job.pass.max_rows = coded.view().n_rows;
    job.pass.max_nnz = coded.view().nnz;
    stream.run([&] {
      job.chunk = buffers.upload(coded.view());
      job.rows = {buffers.rows<std::int32_t>(n), buffers.rows<std::uint64_t>(n), buffers.rows<std::uint64_t>(n * n_top),
                  buffers.rows<std::uint64_t>(n * n_sets)};
      job.scratch = buffers.make(cuda::scratch_bytes(job.pass));
      if (job.pass.whole)
        cuda::launch_whole_chunk(job, stream.get());
      else
        cuda::launch_real_chunk(job, stream.get());
      stream.check_launches();
      stream.copy(rows.n_nonzero, job.rows.n_nonzero, n * sizeof(std::int32_t), cuda::CopyTo::host);
      stream.copy(rows.totals, job.rows.totals, n * sizeof(Total), cuda::CopyTo::host);
      stream.copy(rows.top, job.rows.top, n * n_top * sizeof(Total), cuda::CopyTo::host);
      stream.copy(rows.sets, job.rows.sets, n * n_sets * sizeof(Total), cuda::CopyTo::host);
    });
  }
  void carry(const GridLauncher&) override {
    if (!genes_.pass().whole) genes_.carry();
  }
  ColumnResults finish(std::int64_t n_rows) const override {
    const auto sums = cuda::make_gene_sums(genes_.pass());
    std::vector<std::byte> tables(cuda::table_bytes(genes_.pass()));
    genes_.download(tables.data());
    sums->add(tables.data());
    return sums->finish(n_rows);
  }

 private:
  cuda::GeneMemory genes_;
};

}  // namespace

std::unique_ptr<EmulatedPass> EmulatedPass::make(const OpSpec& ops, std::uint32_t n_cols, const cuda::DeviceShape&) {
  return std::make_unique<DevicePass>(ops, n_cols);
}

std::vector<std::byte> mapped_values(const CodedChunk& chunk, const std::vector<double>& divisors, const ValueMap& map, ValueType out_type,
                                     const GridLauncher&) {
  std::vector<std::byte> values(static_cast<std::size_t>(chunk.view().nnz) * size_of(out_type));
  Buffers buffers;
  cuda::LaneStream& stream = buffers.stream();
  stream.run([&] {
    cuda::MapJob job{buffers.upload(chunk.view()), nullptr, map, out_type, buffers.make(values.size())};
    job.divisors = static_cast<const double*>(buffers.upload(divisors.data(), divisors.size() * sizeof(double)));
    cuda::launch_map_values(job, stream.get());
    stream.check_launches();
    stream.copy(values.data(), job.out, values.size(), cuda::CopyTo::host);
  });
  return values;
}

}  // namespace quern::emulation
