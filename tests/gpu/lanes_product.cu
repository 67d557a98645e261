// A resident chunk, and the same turned over, times a dense matrix of 32 and 64 columns: ours beside cuSPARSE.
#include <cmath>
#include <memory>

#include "cuda/kernels/product_launches.hpp"
#include "tests/gpu/lanes.cuh"
#include "tests/gpu/product_peers.cuh"

namespace quern::lanes {
namespace {

// Multiples of 1/256 below 1, which no sum of counts rounds in double.
std::vector<float> make_factor(std::size_t rows, int width) {
  std::vector<float> b(rows * static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] = static_cast<float>(i * 2654435761U % 256) / 256;
  return b;
}

class Ours {
 public:
  Ours(const ResidentChunk& chunk, const cuda::DeviceChunk& view, const Buffer<float>& b, int width, bool transposed)
      : view_(view),
        factor_{b.data(), ValueType::f32, transposed ? chunk.shape.n_rows : static_cast<std::int64_t>(chunk.shape.n_cols), width},
        transposed_(transposed),
        sums_(static_cast<std::size_t>(transposed ? chunk.shape.n_cols : chunk.shape.n_rows) * static_cast<std::size_t>(width)) {}
  void clear(cudaStream_t stream) const { sums_.zero(stream); }
  void run(cudaStream_t stream) const {
    if (transposed_)
      cuda::launch_fold_genes({view_, factor_, sums_.data()}, stream);
    else
      cuda::launch_multiply_rows({view_, factor_, sums_.data()}, stream);
    check(cudaGetLastError(), "launch");
  }
  std::vector<double> result(cudaStream_t stream) const {
    clear(stream);
    run(stream);
    check(cudaStreamSynchronize(stream), "product");
    return sums_.to_host();
  }

 private:
  cuda::DeviceChunk view_;
  cuda::DeviceDense factor_;
  bool transposed_;
  Buffer<double> sums_;
};

constexpr std::size_t stride = 61;  // one row of the result in so many is computed again on the host

// These rows, the others 0; exact, since no sum is rounded.
std::vector<double> plain_product(const ResidentChunk& chunk, const std::vector<float>& b, int width, bool transposed) {
  const auto offsets = chunk.offsets.to_host();
  const auto columns = chunk.columns.to_host();
  const auto values = chunk.values.to_host();
  const auto n = static_cast<std::size_t>(width);
  std::vector<double> sums((transposed ? chunk.shape.n_cols : offsets.size() - 1) * n);
  for (std::size_t row = 0; row + 1 < offsets.size(); row += transposed ? 1 : stride)
    for (auto i = static_cast<std::size_t>(offsets[row]); i < static_cast<std::size_t>(offsets[row + 1]); ++i) {
      const std::size_t from = transposed ? row : columns[i], to = transposed ? columns[i] : row;
      if (to % stride != 0) continue;
      for (std::size_t j = 0; j < n; ++j) sums[to * n + j] += static_cast<double>(values[i]) * static_cast<double>(b[from * n + j]);
    }
  return sums;
}

template <class T>
void check_rows(const std::vector<T>& found, const std::vector<double>& exact, int width, double relative, const std::string& what) {
  for (std::size_t i = 0; i < found.size(); ++i)
    if (i / static_cast<std::size_t>(width) % stride == 0)
      require(std::abs(static_cast<double>(found[i]) - exact[i]) <= relative * std::abs(exact[i]), what + ", number " + std::to_string(i));
}

void race_products(const LaneOptions& options, const ResidentChunk& chunk, int width, bool transposed, double copy_rate,
                   cudaStream_t stream) {
  const std::string lane = std::string(transposed ? "transposed_product_" : "product_") + std::to_string(width);
  const auto host_b = make_factor(transposed ? static_cast<std::size_t>(chunk.shape.n_rows) : chunk.shape.n_cols, width);
  const Buffer<float> b(host_b);
  const Ours wide(chunk, chunk.wide(), b, width, transposed), packed(chunk, chunk.packed(), b, width, transposed);
  const auto expected = plain_product(chunk, host_b, width, transposed);
  const auto first = wide.result(stream);
  check_rows(first, expected, width, 0, lane);
  require(first == wide.result(stream) && first == packed.result(stream), lane + ": the same bits again, and of narrow data");
  std::vector<Contestant> contestants{
      {"quern, u32 + f32", [&](cudaStream_t s) { wide.clear(s); }, [&](cudaStream_t s) { wide.run(s); }},
      {"quern, u16 + u8", [&](cudaStream_t s) { packed.clear(s); }, [&](cudaStream_t s) { packed.run(s); }}};
  std::vector<std::unique_ptr<SparseTimesDense>> peers;
  using Algorithm = SparseTimesDense::Algorithm;
  for (const auto& [name, algorithm] :
       {std::pair{"cuSPARSE CSR_ALG2, f32", Algorithm::alg2}, {"cuSPARSE CSR_ALG3, f32", Algorithm::alg3}}) {
    if (!SparseTimesDense::available() || (transposed && algorithm == Algorithm::alg3)) continue;
    peers.push_back(std::make_unique<SparseTimesDense>(chunk, b, width, transposed, algorithm));
    const SparseTimesDense& peer = *peers.back();
    peer.run(stream);
    check(cudaStreamSynchronize(stream), name);
    check_rows(peer.result(), expected, width, 1e-3, name);
    contestants.push_back({name, {}, [&peer](cudaStream_t s) { peer.run(s); }});
  }
  const auto times = race(contestants, options.rounds, stream);
  for (std::size_t i = 0; i < times.size(); ++i) {
    const double bytes = (i == 1 ? 3.0 : 8.0) * chunk.nnz;
    Figures figures = rates(times[i], bytes, chunk.nnz, copy_rate);
    figures.push_back({"gflop_per_s", 2.0 * chunk.nnz * width / (median(times[i]) / 1e3) / 1e9});
    report(lane, contestants[i].name, times[i], figures, true);
  }
}

}  // namespace

void lane_products(const LaneOptions& options, const ResidentChunk& chunk, double copy_rate, cudaStream_t stream) {
  for (const int width : {32, 64})
    for (const bool transposed : {false, true}) race_products(options, chunk, width, transposed, copy_rate, stream);
}

}  // namespace quern::lanes
