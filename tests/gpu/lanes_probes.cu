// What the device can do at all: copies, transfers, atomics.
#include "tests/gpu/lanes.cuh"

namespace quern::lanes {
namespace {

__global__ void copy_vectors(const uint4* from, uint4* to, std::size_t n) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) to[i] = __ldcs(from + i);
}

__device__ std::uint32_t scramble(std::uint32_t x) {
  x = (x ^ x >> 16) * 0x7feb352dU;
  x = (x ^ x >> 15) * 0x846ca68bU;
  return x ^ x >> 16;
}

__global__ void atomics_uniform(unsigned long long* words, std::uint32_t n_words, std::size_t n) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride)
    atomicAdd(words + scramble(static_cast<std::uint32_t>(i)) % n_words, 1ULL);
}

__global__ void atomics_by_gene(unsigned long long* words, const std::uint32_t* genes, std::size_t n) {
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride) atomicAdd(words + genes[i], 1ULL);
}

// Additions to the block's own words, then all of them to the table.
template <class Word>
__global__ void atomics_shared(unsigned long long* table, std::uint32_t n_words, const std::uint32_t* genes, std::size_t n) {
  extern __shared__ unsigned char memory[];
  Word* words = reinterpret_cast<Word*>(memory);
  for (std::uint32_t w = threadIdx.x; w < n_words; w += blockDim.x) words[w] = 0;
  __syncthreads();
  const std::size_t stride = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += stride)
    atomicAdd(words + genes[i] % n_words, Word{1});
  __syncthreads();
  for (std::uint32_t w = threadIdx.x; w < n_words; w += blockDim.x) atomicAdd(table + w, static_cast<unsigned long long>(words[w]));
}

unsigned long long sum(const Buffer<unsigned long long>& words) {
  unsigned long long total = 0;
  for (const auto word : words.to_host()) total += word;
  return total;
}

int multiprocessors() {
  int device = 0, n = 1;
  check(cudaGetDevice(&device), "device");
  check(cudaDeviceGetAttribute(&n, cudaDevAttrMultiProcessorCount, device), "device");
  return n;
}

}  // namespace

double probe_copy(const LaneOptions& options, cudaStream_t stream) {
  const std::size_t n = std::size_t{1} << 26;  // of 16 bytes: 1 GiB, many times the cache
  const Buffer<uint4> from(n), to(n);
  check(cudaMemsetAsync(from.data(), 0x5a, from.bytes(), stream), "memset");
  const int blocks = multiprocessors() * 8;
  const auto times =
      race({{"copy kernel", {}, [&](cudaStream_t s) { copy_vectors<<<blocks, 256, 0, s>>>(from.data(), to.data(), n); }},
            {"cudaMemcpyAsync",
             {},
             [&](cudaStream_t s) { check(cudaMemcpyAsync(to.data(), from.data(), from.bytes(), cudaMemcpyDeviceToDevice, s), "copy"); }}},
           options.rounds, stream);
  uint4 last;
  check(cudaMemcpy(&last, to.data() + n - 1, sizeof(last), cudaMemcpyDeviceToHost), "copy");
  require(last.w == 0x5a5a5a5aU, "the copy");
  const double bytes = 2.0 * static_cast<double>(from.bytes());
  const double best = bytes / (std::min(median(times[0]), median(times[1])) / 1e3);
  report("hbm_copy", "copy kernel", times[0], rates(times[0], bytes, static_cast<double>(n), best), true);
  report("hbm_copy", "cudaMemcpyAsync", times[1], rates(times[1], bytes, static_cast<double>(n), best), true);
  return best;
}

void probe_transfers(const LaneOptions& options, cudaStream_t stream) {
  const std::size_t bytes = std::size_t{256} << 20;
  void* pinned = nullptr;
  check(cudaHostAlloc(&pinned, bytes, cudaHostAllocDefault), "cudaHostAlloc");
  std::vector<unsigned char> pageable(bytes, 1);
  std::fill_n(static_cast<unsigned char*>(pinned), bytes, static_cast<unsigned char>(2));
  const Buffer<unsigned char> device(bytes);
  const auto copy = [&](void* to, const void* from, cudaMemcpyKind kind) {
    return [=](cudaStream_t s) { check(cudaMemcpyAsync(to, from, bytes, kind, s), "transfer"); };
  };
  const auto times = race({{"pageable to device", {}, copy(device.data(), pageable.data(), cudaMemcpyHostToDevice)},
                           {"device to pinned", {}, copy(pinned, device.data(), cudaMemcpyDeviceToHost)},
                           {"pinned to device", {}, copy(device.data(), pinned, cudaMemcpyHostToDevice)}},
                          options.rounds, stream);
  require(device.to_host()[bytes - 1] == 1, "the transfers");  // what came from the pageable array and back
  const char* names[] = {"pageable to device", "device to pinned", "pinned to device"};
  for (std::size_t i = 0; i < 3; ++i)
    report("transfer", names[i], times[i],
           {{"bytes", static_cast<double>(bytes)}, {"gb_per_s", static_cast<double>(bytes) / median(times[i]) / 1e6}}, true);
  check(cudaFreeHost(pinned), "cudaFreeHost");
}

void probe_atomics(const LaneOptions& options, const ResidentChunk& chunk, cudaStream_t stream) {
  const auto n = std::min<std::size_t>(static_cast<std::size_t>(chunk.nnz), std::size_t{1} << 27);
  const std::uint32_t n_genes = chunk.shape.n_cols, n_shared = 24000, n_shared64 = 12000;
  const Buffer<unsigned long long> words(std::max(n_genes, n_shared));
  const int blocks = multiprocessors();
  const auto zero = [&](cudaStream_t s) { words.zero(s); };
  const auto genes = chunk.columns.data();
  check(cudaFuncSetAttribute(atomics_shared<unsigned>, cudaFuncAttributeMaxDynamicSharedMemorySize, 4 * n_shared), "shared memory");
  check(cudaFuncSetAttribute(atomics_shared<unsigned long long>, cudaFuncAttributeMaxDynamicSharedMemorySize, 8 * n_shared64),
        "shared memory");
  const std::vector<Contestant> contestants{
      {"global u64, uniform", zero, [&](cudaStream_t s) { atomics_uniform<<<blocks * 8, 256, 0, s>>>(words.data(), n_genes, n); }},
      {"global u64, by gene", zero, [&](cudaStream_t s) { atomics_by_gene<<<blocks * 8, 256, 0, s>>>(words.data(), genes, n); }},
      {"shared u32, by gene", zero,
       [&](cudaStream_t s) { atomics_shared<unsigned><<<blocks, 1024, 4 * n_shared, s>>>(words.data(), n_shared, genes, n); }},
      {"shared u64, by gene", zero, [&](cudaStream_t s) {
         atomics_shared<unsigned long long><<<blocks, 1024, 8 * n_shared64, s>>>(words.data(), n_shared64, genes, n);
       }}};
  for (const auto& contestant : contestants) {
    zero(stream);
    contestant.run(stream);
    check(cudaStreamSynchronize(stream), contestant.name.c_str());
    require(sum(words) == n, contestant.name);
  }
  const auto times = race(contestants, options.rounds, stream);
  for (std::size_t i = 0; i < times.size(); ++i)
    report("atomics", contestants[i].name, times[i],
           {{"additions", static_cast<double>(n)}, {"g_per_s", static_cast<double>(n) / median(times[i]) / 1e6}}, true);
}

}  // namespace quern::lanes
