#include "tests/gpu/qc_peers.cuh"

#include "tests/gpu/sparse_library.cuh"

namespace quern::lanes {
namespace {

__global__ void plain_kernel(const std::int32_t* offsets, const std::uint32_t* columns, const float* values, int n_rows,
                             unsigned long long* row_totals, unsigned long long* gene_totals, unsigned long long* gene_counts) {
  for (int row = blockIdx.x; row < n_rows; row += gridDim.x)
    for (int i = offsets[row] + threadIdx.x; i < offsets[row + 1]; i += blockDim.x) {
      const auto value = static_cast<unsigned long long>(values[i]);
      atomicAdd(row_totals + row, value);
      atomicAdd(gene_totals + columns[i], value);
      atomicAdd(gene_counts + columns[i], 1ULL);
    }
}

__global__ void thread_per_row(const std::int32_t* offsets, const std::uint32_t* columns, const float* values, int n_rows,
                               const std::uint32_t* gene_sets, float* row_totals, float* set_totals, int* row_counts, float* gene_totals,
                               int* gene_counts) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row >= n_rows) return;
  float total = 0, in_set = 0;
  for (int i = offsets[row]; i < offsets[row + 1]; ++i) {
    const float value = values[i];
    const std::uint32_t gene = columns[i];
    atomicAdd(gene_totals + gene, value);
    atomicAdd(gene_counts + gene, 1);
    total += value;
    if (gene_sets[gene]) in_set += value;
  }
  row_totals[row] = total;
  set_totals[row] = in_set;
  row_counts[row] = offsets[row + 1] - offsets[row];
}

}  // namespace

PlainQc plain_qc(const ResidentChunk& chunk, cudaStream_t stream) {
  const Buffer<unsigned long long> rows(static_cast<std::size_t>(chunk.shape.n_rows)), totals(chunk.shape.n_cols),
      counts(chunk.shape.n_cols);
  rows.zero(stream);
  totals.zero(stream);
  counts.zero(stream);
  plain_kernel<<<4096, 256, 0, stream>>>(chunk.offsets.data(), chunk.columns.data(), chunk.values.data(), chunk.shape.n_rows, rows.data(),
                                         totals.data(), counts.data());
  check(cudaStreamSynchronize(stream), "plain statistics");
  return {rows.to_host(), totals.to_host(), counts.to_host()};
}

ThreadPerRow::ThreadPerRow(const ResidentChunk& chunk, const std::uint32_t* gene_sets)
    : chunk_(chunk),
      gene_sets_(gene_sets),
      row_totals_(static_cast<std::size_t>(chunk.shape.n_rows)),
      set_totals_(row_totals_.size()),
      gene_totals_(chunk.shape.n_cols),
      row_counts_(row_totals_.size()),
      gene_counts_(chunk.shape.n_cols) {}

void ThreadPerRow::clear(cudaStream_t stream) const {
  gene_totals_.zero(stream);
  gene_counts_.zero(stream);
}

void ThreadPerRow::run(cudaStream_t stream) const {
  constexpr int threads = 64;
  const int n = chunk_.shape.n_rows;
  thread_per_row<<<(n + threads - 1) / threads, threads, 0, stream>>>(chunk_.offsets.data(), chunk_.columns.data(), chunk_.values.data(), n,
                                                                      gene_sets_, row_totals_.data(), set_totals_.data(),
                                                                      row_counts_.data(), gene_totals_.data(), gene_counts_.data());
}

struct SpmvPair::Handles {
  explicit Handles(const ResidentChunk& chunk)
      : ones_rows(std::vector<float>(static_cast<std::size_t>(chunk.shape.n_rows), 1.0F)),
        ones_genes(std::vector<float>(chunk.shape.n_cols, 1.0F)),
        row_totals(ones_rows.size()),
        gene_totals(ones_genes.size()) {
    check_sparse(sparse().create(&library), "cusparseCreate");
    check_sparse(sparse().create_csr(&matrix, chunk.shape.n_rows, chunk.shape.n_cols, chunk.nnz, chunk.offsets.data(), chunk.columns.data(),
                                     chunk.values.data(), CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
                 "cusparseCreateCsr");
    vector(&x_rows, ones_rows);
    vector(&x_genes, ones_genes);
    vector(&y_rows, row_totals);
    vector(&y_genes, gene_totals);
    work = allocate(CUSPARSE_OPERATION_NON_TRANSPOSE, x_genes, y_rows);
    transposed_work = allocate(CUSPARSE_OPERATION_TRANSPOSE, x_rows, y_genes);
  }
  ~Handles() {
    for (auto* one : {x_rows, x_genes, y_rows, y_genes}) sparse().destroy_vector(one);
    sparse().destroy_sparse(matrix);
    sparse().destroy(library);
    cudaFree(work);
    cudaFree(transposed_work);
  }
  static void vector(cusparseDnVecDescr_t* descriptor, const Buffer<float>& values) {
    check_sparse(sparse().create_vector(descriptor, static_cast<std::int64_t>(values.size()), values.data(), CUDA_R_32F),
                 "cusparseCreateDnVec");
  }
  void* allocate(cusparseOperation_t operation, cusparseDnVecDescr_t x, cusparseDnVecDescr_t y) const {
    std::size_t bytes = 0;
    check_sparse(sparse().spmv_buffer_size(library, operation, &one, matrix, x, &zero, y, CUDA_R_32F, algorithm, &bytes),
                 "SpMV_bufferSize");
    void* memory = nullptr;
    check(cudaMalloc(&memory, std::max<std::size_t>(bytes, 1)), "cudaMalloc");
    return memory;
  }
  void multiply(cusparseOperation_t operation, cusparseDnVecDescr_t x, cusparseDnVecDescr_t y, void* memory) const {
    check_sparse(sparse().spmv(library, operation, &one, matrix, x, &zero, y, CUDA_R_32F, algorithm, memory), "SpMV");
  }

  static constexpr cusparseSpMVAlg_t algorithm = CUSPARSE_SPMV_ALG_DEFAULT;
  static constexpr float one = 1, zero = 0;
  Buffer<float> ones_rows, ones_genes, row_totals, gene_totals;
  cusparseHandle_t library = nullptr;
  cusparseSpMatDescr_t matrix = nullptr;
  cusparseDnVecDescr_t x_rows = nullptr, x_genes = nullptr, y_rows = nullptr, y_genes = nullptr;
  void *work = nullptr, *transposed_work = nullptr;
};

SpmvPair::SpmvPair(const ResidentChunk& chunk) : handles_(std::make_unique<Handles>(chunk)) {}
SpmvPair::~SpmvPair() = default;
bool SpmvPair::available() { return sparse().spmv != nullptr; }

void SpmvPair::run(cudaStream_t stream) const {
  const Handles& h = *handles_;
  check_sparse(sparse().set_stream(h.library, stream), "cusparseSetStream");
  h.multiply(CUSPARSE_OPERATION_NON_TRANSPOSE, h.x_genes, h.y_rows, h.work);
  h.multiply(CUSPARSE_OPERATION_TRANSPOSE, h.x_rows, h.y_genes, h.transposed_work);
}

std::vector<float> SpmvPair::gene_totals() const { return handles_->gene_totals.to_host(); }

}  // namespace quern::lanes
