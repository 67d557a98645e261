// The fused pass on resident data beside its peers; then the other kernels.
#include <cmath>
#include <cstring>

#include "cuda/kernels/launches.hpp"
#include "host/ops/value_map.hpp"
#include "tests/gpu/lanes.cuh"
#include "tests/gpu/qc_peers.cuh"

namespace quern::lanes {
namespace {

// Everything that one pass over the chunk needs on the device.
class Pass {
 public:
  Pass(const ResidentChunk& chunk, const cuda::DeviceChunk& view, const std::vector<std::int32_t>& n_largest, bool moments, bool whole)
      : n_largest_(n_largest),
        gene_sets_(mitochondrial(chunk.shape.n_cols)),
        n_nonzero_(rows(chunk)),
        totals_(rows(chunk)),
        top_(rows(chunk) * n_largest.size()),
        sets_(rows(chunk)),
        whole_(whole ? chunk.shape.n_cols : 0),
        moments_(moments ? chunk.shape.n_cols : 0),
        real_(whole ? 0 : chunk.shape.n_cols),
        squares_(!whole && moments ? chunk.shape.n_cols : 0),
        scratch_(prepare(chunk, view, moments, whole)) {
    job_.scratch = scratch_.data();
  }
  void clear(cudaStream_t stream) const {
    whole_.zero(stream);
    moments_.zero(stream);
    real_.zero(stream);
    squares_.zero(stream);
  }
  void run(cudaStream_t stream) const {
    if (job_.pass.whole)
      cuda::launch_whole_chunk(job_, stream);
    else
      cuda::launch_real_chunk(job_, stream);
    check(cudaGetLastError(), "launch");
  }
  const std::uint32_t* gene_sets() const { return gene_sets_.data(); }
  std::vector<std::uint64_t> totals() const { return totals_.to_host(); }
  std::vector<std::uint64_t> top() const { return top_.to_host(); }
  std::vector<cuda::WholeGeneState> genes() const { return whole_.to_host(); }

 private:
  static std::size_t rows(const ResidentChunk& chunk) { return static_cast<std::size_t>(chunk.shape.n_rows); }
  static std::vector<std::uint32_t> mitochondrial(std::uint32_t n_cols) {
    std::vector<std::uint32_t> sets(n_cols);
    for (std::uint32_t g = 0; g < 13 && g < n_cols; ++g) sets[n_cols - 1 - g] = 1;
    return sets;
  }
  std::size_t prepare(const ResidentChunk& chunk, const cuda::DeviceChunk& view, bool moments, bool whole) {
    job_.chunk = view;
    job_.pass.n_cols = chunk.shape.n_cols;
    job_.pass.n_top = static_cast<std::int32_t>(n_largest_.size());
    job_.pass.n_sets = 1;
    job_.pass.moments = moments;
    job_.pass.whole = whole;
    job_.pass.max_rows = view.n_rows;
    job_.pass.max_nnz = view.nnz;
    job_.pass.n_largest = n_largest_.data();
    job_.pass.gene_sets = gene_sets_.data();
    job_.rows = {n_nonzero_.data(), totals_.data(), top_.data(), sets_.data()};
    job_.genes = {whole_.data(), moments_.data(), real_.data(), squares_.data()};
    return cuda::scratch_bytes(job_.pass);
  }
  cuda::ChunkJob job_;
  Buffer<std::int32_t> n_largest_;
  Buffer<std::uint32_t> gene_sets_;
  Buffer<std::int32_t> n_nonzero_;
  Buffer<std::uint64_t> totals_, top_, sets_;
  Buffer<cuda::WholeGeneState> whole_;
  Buffer<cuda::MomentState> moments_;
  Buffer<cuda::RealGeneState<float>> real_;
  Buffer<cuda::SquareState<float>> squares_;
  Buffer<std::byte> scratch_;
};

const std::vector<std::int32_t> percent_top{50, 100, 200, 500};

// Sums of the largest of some rows, by sorting.
void check_top(const ResidentChunk& chunk, const Pass& pass) {
  const auto offsets = chunk.offsets.to_host();
  const auto top = pass.top();
  for (std::size_t row = 0; row < offsets.size() - 1; row += (offsets.size() - 1) / 50 + 1) {
    std::vector<float> values(static_cast<std::size_t>(offsets[row + 1] - offsets[row]));
    check(cudaMemcpy(values.data(), chunk.values.data() + offsets[row], values.size() * sizeof(float), cudaMemcpyDeviceToHost), "copy");
    std::sort(values.rbegin(), values.rend());
    std::uint64_t sum = 0;
    std::size_t taken = 0;
    for (std::size_t t = 0; t < percent_top.size(); ++t) {
      for (; taken < static_cast<std::size_t>(percent_top[t]) && taken < values.size(); ++taken)
        sum += static_cast<std::uint64_t>(values[taken]);
      require(top[row * percent_top.size() + t] == sum, "a sum of the largest of row " + std::to_string(row));
    }
  }
}

void check_whole(const ResidentChunk& chunk, const PlainQc& expected, const Pass& pass, cudaStream_t stream) {
  pass.clear(stream);
  pass.run(stream);
  check(cudaStreamSynchronize(stream), "fused pass");
  const auto totals = pass.totals();
  for (std::size_t r = 0; r < totals.size(); ++r) require(totals[r] == expected.row_totals[r], "total of row " + std::to_string(r));
  const auto genes = pass.genes();
  for (std::size_t g = 0; g < genes.size(); ++g)
    require(static_cast<unsigned long long>(genes[g].sum) == expected.gene_totals[g] && genes[g].n_nonzero == expected.gene_counts[g],
            "gene " + std::to_string(g));
  check_top(chunk, pass);
}

void check_near(const std::vector<float>& totals, const PlainQc& expected, const std::string& what) {
  for (std::size_t g = 0; g < totals.size(); ++g) {
    const auto exact = static_cast<double>(expected.gene_totals[g]);
    require(std::abs(static_cast<double>(totals[g]) - exact) <= 1e-2 * exact + 1, what + ", gene " + std::to_string(g));
  }
}

double wide_bytes(const ResidentChunk& chunk) { return 8.0 * chunk.nnz + 4.0 * (chunk.shape.n_rows + 1); }
double packed_bytes(const ResidentChunk& chunk) { return 3.0 * chunk.nnz + 4.0 * (chunk.shape.n_rows + 1); }

Contestant contestant(const std::string& name, const Pass& pass) {
  return {name, [&pass](cudaStream_t s) { pass.clear(s); }, [&pass](cudaStream_t s) { pass.run(s); }};
}

void report_all(const std::string& lane, const std::vector<Contestant>& contestants, const std::vector<double>& bytes,
                const ResidentChunk& chunk, double copy_rate, const LaneOptions& options, cudaStream_t stream) {
  const auto times = race(contestants, options.rounds, stream);
  for (std::size_t i = 0; i < times.size(); ++i)
    report(lane, contestants[i].name, times[i], rates(times[i], bytes[i], chunk.nnz, copy_rate), true);
}

}  // namespace

void lane_fused_qc(const LaneOptions& options, const ResidentChunk& chunk, double copy_rate, cudaStream_t stream) {
  const PlainQc expected = plain_qc(chunk, stream);
  const Pass wide(chunk, chunk.wide(), percent_top, false, true), packed(chunk, chunk.packed(), percent_top, false, true);
  const Pass wide_without_top(chunk, chunk.wide(), {}, false, true);
  check_whole(chunk, expected, wide, stream);
  check_whole(chunk, expected, packed, stream);
  const ThreadPerRow thread_per_row(chunk, wide.gene_sets());
  std::unique_ptr<SpmvPair> spmv;
  if (SpmvPair::available()) spmv = std::make_unique<SpmvPair>(chunk);
  thread_per_row.clear(stream);
  thread_per_row.run(stream);
  if (spmv) spmv->run(stream);
  check(cudaStreamSynchronize(stream), "peers");
  check_near(thread_per_row.gene_totals(), expected, "thread per row");
  if (spmv) check_near(spmv->gene_totals(), expected, "SpMV");
  std::vector<Contestant> contestants{
      contestant("quern, u32 + f32", wide),
      contestant("quern, u32 + f32, no percent-in-top", wide_without_top),
      contestant("quern, u16 + u8", packed),
      {"thread per row", [&](cudaStream_t s) { thread_per_row.clear(s); }, [&](cudaStream_t s) { thread_per_row.run(s); }}};
  std::vector<double> bytes{wide_bytes(chunk), wide_bytes(chunk), packed_bytes(chunk), wide_bytes(chunk)};
  if (spmv) {
    contestants.push_back({"cuSPARSE SpMV pair", {}, [&](cudaStream_t s) { spmv->run(s); }});
    bytes.push_back(wide_bytes(chunk));
  }
  report_all("fused_qc_resident", contestants, bytes, chunk, copy_rate, options, stream);
}

void lane_more_kernels(const LaneOptions& options, const ResidentChunk& chunk, double copy_rate, cudaStream_t stream) {
  const PlainQc expected = plain_qc(chunk, stream);
  const Pass moments(chunk, chunk.wide(), {}, true, true), real(chunk, chunk.wide(), {}, false, false),
      real_top(chunk, chunk.wide(), percent_top, false, false);
  check_whole(chunk, expected, Pass(chunk, chunk.wide(), percent_top, true, true), stream);
  real.clear(stream);
  real.run(stream);
  check(cudaStreamSynchronize(stream), "real pass");
  const auto totals = real.totals();
  for (std::size_t r = 0; r < totals.size(); ++r) {
    double total = 0;
    std::memcpy(&total, &totals[r], sizeof(total));
    require(total == static_cast<double>(expected.row_totals[r]), "real total of row " + std::to_string(r));
  }

  std::vector<double> divisors;
  for (const auto total : expected.row_totals) divisors.push_back(total ? static_cast<double>(total) / 1e4 : 1);
  const Buffer<double> on_device(divisors);
  const Buffer<float> mapped(static_cast<std::size_t>(chunk.nnz));
  const cuda::MapJob map{chunk.wide(), on_device.data(), {}, ValueType::f32, mapped.data()};
  cuda::launch_map_values(map, stream);
  check(cudaStreamSynchronize(stream), "map_values");
  float first_value = 0, first_mapped = 0;
  check(cudaMemcpy(&first_value, chunk.values.data(), sizeof(float), cudaMemcpyDeviceToHost), "copy");
  check(cudaMemcpy(&first_mapped, mapped.data(), sizeof(float), cudaMemcpyDeviceToHost), "copy");
  std::size_t first_row = 0;  // of the first stored value
  const auto offsets = chunk.offsets.to_host();
  while (offsets[first_row + 1] == 0) ++first_row;
  require(first_mapped == static_cast<float>(ValueMap{}(first_value, divisors[first_row])),
          "the first normalised value: not the host's bits");

  report_all("more_kernels",
             {contestant("whole pass with moments", moments),
              contestant("real pass", real),
              contestant("real pass, percent-in-top", real_top),
              {"map_values", {}, [&](cudaStream_t s) { cuda::launch_map_values(map, s); }}},
             {2 * wide_bytes(chunk), wide_bytes(chunk), 2 * wide_bytes(chunk), wide_bytes(chunk)}, chunk, copy_rate, options, stream);
}

}  // namespace quern::lanes
