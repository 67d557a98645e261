// Products of genes with genes on resident data: tiles written out and multiplied, beside a bare multiplication of rows that are dense
// already, and beside one atomic addition for every pair of a row's entries.
#include <cmath>

#include "cuda/dense_library.hpp"
#include "cuda/kernels/launches.hpp"
#include "host/ops/gram.hpp"
#include "tests/gpu/lanes.cuh"

namespace quern::lanes {
namespace {

constexpr std::int32_t n_genes = 2000;
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

void check_dense(cuda::Status status, const char* what) {
  if (status == cuda::Status::success) return;
  std::fprintf(stderr, "lanes: %s: cuBLAS answers %d\n", what, static_cast<int>(status));
  std::exit(6);
}

__global__ void multiply_pairs(cuda::DeviceChunk chunk, const std::uint32_t* columns, const float* values, double* products) {
  const std::int32_t begin = chunk.offsets[blockIdx.x], n = chunk.offsets[blockIdx.x + 1] - begin;
  for (std::int64_t pair = threadIdx.x; pair < static_cast<std::int64_t>(n) * n; pair += blockDim.x) {
    const auto i = begin + static_cast<std::int32_t>(pair / n), j = begin + static_cast<std::int32_t>(pair % n);
    if (j < i) continue;
    atomicAdd(products + static_cast<std::size_t>(columns[i]) * n_genes + columns[j],
              static_cast<double>(values[i]) * static_cast<double>(values[j]));
  }
}

class Products {
 public:
  Products(const ResidentChunk& chunk, cudaStream_t stream)
      : chunk_(chunk),
        block_rows_(static_cast<std::int32_t>(gram_block_rows(n_genes))),
        tile_(static_cast<std::size_t>(block_rows_) * n_genes),
        dense_(static_cast<std::size_t>(chunk.shape.n_rows) * n_genes),
        workspace_(workspace_bytes) {
    check_dense(cuda::dense::create(handle_), "create");
    check_dense(cuda::dense::use(handle_, stream, workspace_.data(), workspace_bytes), "use");
    dense_.zero(stream);
    cuda::launch_densify_rows({chunk.wide(), dense_.data()}, stream);
    check(cudaStreamSynchronize(stream), "dense rows");
  }
  ~Products() { static_cast<void>(cuda::dense::destroy(handle_)); }

  void in_tiles(double* products, cudaStream_t stream) const {
    for (std::int32_t first = 0; first < chunk_.shape.n_rows; first += block_rows_) {
      cuda::DeviceChunk block = chunk_.wide();
      block.n_rows = std::min(block_rows_, chunk_.shape.n_rows - first);
      block.offsets += first;  // columns and values are found by them
      check(cudaMemsetAsync(tile_.data(), 0, tile_.bytes(), stream), "memset");
      cuda::launch_densify_rows({block, tile_.data()}, stream);
      check_dense(cuda::dense::add_products(handle_, tile_.data(), block.n_rows, n_genes, products), "add_products");
    }
  }
  void bare(double* products) const {
    check_dense(cuda::dense::add_products(handle_, dense_.data(), chunk_.shape.n_rows, n_genes, products), "add_products");
  }
  void by_pairs(double* products, cudaStream_t stream) const {
    multiply_pairs<<<static_cast<unsigned>(chunk_.shape.n_rows), 256, 0, stream>>>(chunk_.wide(), chunk_.columns.data(),
                                                                                   chunk_.values.data(), products);
  }

 private:
  const ResidentChunk& chunk_;
  std::int32_t block_rows_;
  Buffer<double> tile_, dense_;
  Buffer<std::byte> workspace_;
  cuda::dense::Handle handle_ = nullptr;
};

}  // namespace

void lane_gram(const LaneOptions& options, cudaStream_t stream) {
  if (const std::string refusal = cuda::dense::refusal(); !refusal.empty()) {
    std::printf(R"({"lane": "gram_resident", "not_run": "%s"})"
                "\n",
                refusal.c_str());
    return;
  }
  const ResidentChunk chunk = make_chunk({std::min(options.chunk.n_rows, 65536), n_genes, 0.1, 2}, stream);
  const Products gram(chunk, stream);
  const Buffer<double> ours(std::size_t{n_genes} * n_genes), bare(ours.size()), pairs(ours.size());
  const std::vector<Contestant> contestants{
      {"quern, tiles", [&](cudaStream_t s) { ours.zero(s); }, [&](cudaStream_t s) { gram.in_tiles(ours.data(), s); }},
      {"bare DSYRK, dense already", [&](cudaStream_t s) { bare.zero(s); }, [&](cudaStream_t) { gram.bare(bare.data()); }},
      {"an atomic addition a pair", [&](cudaStream_t s) { pairs.zero(s); }, [&](cudaStream_t s) { gram.by_pairs(pairs.data(), s); }}};
  const auto times = race(contestants, options.rounds, stream);
  const auto expected = pairs.to_host(), found = ours.to_host(), from_dense = bare.to_host();
  for (std::size_t i = 0; i < n_genes; ++i)  // counts: every way is exact
    for (std::size_t j = i; j < n_genes; ++j)
      require(found[i * n_genes + j] == expected[i * n_genes + j] && from_dense[i * n_genes + j] == expected[i * n_genes + j],
              "products of genes " + std::to_string(i) + " and " + std::to_string(j));
  const double flop = static_cast<double>(chunk.shape.n_rows) * n_genes * (n_genes + 1.0);
  for (std::size_t i = 0; i < times.size(); ++i)
    report("gram_resident", contestants[i].name, times[i],
           {{"cells", chunk.shape.n_rows}, {"nnz", chunk.nnz}, {"dense_tflop_per_s", flop / median(times[i]) / 1e9}}, true);
}

}  // namespace quern::lanes
