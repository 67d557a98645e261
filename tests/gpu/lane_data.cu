#include <cmath>
#include <numeric>

#include "tests/gpu/lane_data.cuh"

namespace quern::lanes {
namespace {

__device__ std::uint64_t mix(std::uint64_t x) {  // splitmix64
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
  return x ^ x >> 31;
}
__device__ float uniform(std::uint64_t x) { return (static_cast<float>(mix(x) >> 40) + 0.5F) * 0x1p-24F; }

struct Model {
  ChunkShape shape;
  const float* frequency;  // of each gene
  __device__ std::uint64_t key(std::int64_t row, std::uint32_t gene) const {
    return (shape.seed * 0x100000000ULL + static_cast<std::uint64_t>(row)) * shape.n_cols + gene;
  }
  __device__ bool stored(std::int64_t row, std::uint32_t gene) const {
    const float depth = 0.5F + uniform(mix(shape.seed) + static_cast<std::uint64_t>(row));
    return gene < shape.n_cols && uniform(key(row, gene)) < frequency[gene] * depth;
  }
  // Larger for frequent genes.
  __device__ float value(std::int64_t row, std::uint32_t gene) const {
    const float mean = 0.6F + 6 * frequency[gene] * frequency[gene];
    return fminf(254, 1 + floorf(-logf(uniform(~key(row, gene))) * mean));
  }
};

__global__ void count_entries(Model model, std::int32_t* counts) {
  const int lane = threadIdx.x % 32, n_warps = gridDim.x * blockDim.x / 32;
  for (int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32; row < model.shape.n_rows; row += n_warps) {
    int n = 0;
    for (std::uint32_t first = 0; first < model.shape.n_cols; first += 32) n += __popc(__ballot_sync(~0U, model.stored(row, first + lane)));
    if (lane == 0) counts[row] = n;
  }
}

__global__ void fill_entries(Model model, const std::int32_t* offsets, std::uint32_t* columns, float* values, std::uint16_t* narrow_columns,
                             std::uint8_t* narrow_values) {
  const int lane = threadIdx.x % 32, n_warps = gridDim.x * blockDim.x / 32;
  for (int row = (blockIdx.x * blockDim.x + threadIdx.x) / 32; row < model.shape.n_rows; row += n_warps) {
    std::int32_t at = offsets[row];
    for (std::uint32_t first = 0; first < model.shape.n_cols; first += 32) {
      const std::uint32_t gene = first + lane;
      const bool stored = model.stored(row, gene);
      const unsigned lanes = __ballot_sync(~0U, stored);
      const std::int32_t mine = at + __popc(lanes & ((1U << lane) - 1));
      at += __popc(lanes);
      if (!stored) continue;
      const float value = model.value(row, gene);
      columns[mine] = gene;
      values[mine] = value;
      narrow_columns[mine] = static_cast<std::uint16_t>(gene);
      narrow_values[mine] = static_cast<std::uint8_t>(value);
    }
  }
}

// A falling curve of the wanted mean, its genes shuffled.
std::vector<float> frequencies(const ChunkShape& shape) {
  const std::size_t n = shape.n_cols;
  std::vector<float> curve(n);
  double low = 0, high = 1e6;
  for (int step = 0; step < 60; ++step) {
    const double scale = (low + high) / 2;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      curve[i] = static_cast<float>(std::min(0.97, scale / (static_cast<double>(i) + 50.0)));
      sum += curve[i];
    }
    (sum / static_cast<double>(n) < shape.density ? low : high) = scale;
  }
  std::vector<float> shuffled(n);
  std::size_t stride = 7919;
  while (std::gcd(stride, n) != 1) ++stride;
  for (std::size_t i = 0; i < n; ++i) shuffled[i * stride % n] = curve[i];
  return shuffled;
}

cuda::DeviceChunk view(const ResidentChunk& chunk) {
  cuda::DeviceChunk result;
  result.n_rows = chunk.shape.n_rows;
  result.nnz = chunk.nnz;
  result.n_cols = chunk.shape.n_cols;
  result.may_have_zeros = false;
  result.offsets = chunk.offsets.data();
  return result;
}

}  // namespace

ResidentChunk make_chunk(const ChunkShape& shape, cudaStream_t stream) {
  const Buffer<float> frequency(frequencies(shape));
  const Model model{shape, frequency.data()};
  const Buffer<std::int32_t> counts(static_cast<std::size_t>(shape.n_rows));
  count_entries<<<1024, 256, 0, stream>>>(model, counts.data());
  check(cudaStreamSynchronize(stream), "counting entries");
  std::vector<std::int32_t> offsets{0};
  for (const std::int32_t n : counts.to_host()) {
    require(offsets.back() <= 2000000000 - n, "a chunk of fewer than 2e9 entries");
    offsets.push_back(offsets.back() + n);
  }
  const auto nnz = static_cast<std::size_t>(offsets.back());
  ResidentChunk chunk{shape,
                      offsets.back(),
                      Buffer<std::int32_t>(offsets),
                      Buffer<std::uint32_t>(nnz),
                      Buffer<float>(nnz),
                      Buffer<std::uint16_t>(shape.n_cols <= 65536 ? nnz : 0),
                      Buffer<std::uint8_t>(nnz)};
  require(shape.n_cols <= 65536, "columns of 16 bits");
  fill_entries<<<1024, 256, 0, stream>>>(model, chunk.offsets.data(), chunk.columns.data(), chunk.values.data(),
                                         chunk.narrow_columns.data(), chunk.narrow_values.data());
  check(cudaStreamSynchronize(stream), "filling entries");
  return chunk;
}

cuda::DeviceChunk ResidentChunk::wide() const {
  cuda::DeviceChunk result = view(*this);
  result.column_code = cuda::ColumnCode::u32;
  result.value_code = cuda::ValueCode::f32;
  result.columns = columns.data();
  result.values = values.data();
  return result;
}

cuda::DeviceChunk ResidentChunk::packed() const {
  cuda::DeviceChunk result = view(*this);
  result.column_code = cuda::ColumnCode::u16;
  result.value_code = cuda::ValueCode::u8;
  result.columns = narrow_columns.data();
  result.values = narrow_values.data();
  return result;
}

}  // namespace quern::lanes
