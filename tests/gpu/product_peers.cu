#include "tests/gpu/product_peers.cuh"

#include "tests/gpu/sparse_library.cuh"

namespace quern::lanes {

struct SparseTimesDense::Handles {
  Handles(const ResidentChunk& chunk, const Buffer<float>& b, int width, bool transposed, Algorithm which)
      : operation(transposed ? CUSPARSE_OPERATION_TRANSPOSE : CUSPARSE_OPERATION_NON_TRANSPOSE),
        algorithm(which == Algorithm::alg2 ? CUSPARSE_SPMM_CSR_ALG2 : CUSPARSE_SPMM_CSR_ALG3),
        values(static_cast<std::size_t>(transposed ? chunk.shape.n_cols : chunk.shape.n_rows) * static_cast<std::size_t>(width)) {
    const std::int64_t n_in = transposed ? chunk.shape.n_rows : chunk.shape.n_cols;
    const std::int64_t n_out = transposed ? chunk.shape.n_cols : chunk.shape.n_rows;
    check_sparse(sparse().create(&library), "cusparseCreate");
    check_sparse(sparse().create_csr(&matrix, chunk.shape.n_rows, chunk.shape.n_cols, chunk.nnz, chunk.offsets.data(), chunk.columns.data(),
                                     chunk.values.data(), CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
                 "cusparseCreateCsr");
    check_sparse(sparse().create_dense(&factor, n_in, width, width, b.data(), CUDA_R_32F, CUSPARSE_ORDER_ROW), "cusparseCreateDnMat");
    check_sparse(sparse().create_dense(&result, n_out, width, width, values.data(), CUDA_R_32F, CUSPARSE_ORDER_ROW), "cusparseCreateDnMat");
    std::size_t bytes = 0;
    check_sparse(sparse().buffer_size(library, operation, CUSPARSE_OPERATION_NON_TRANSPOSE, &one, matrix, factor, &zero, result, CUDA_R_32F,
                                      algorithm, &bytes),
                 "SpMM_bufferSize");
    check(cudaMalloc(&work, std::max<std::size_t>(bytes, 1)), "cudaMalloc");
  }
  ~Handles() {
    sparse().destroy_dense(factor);
    sparse().destroy_dense(result);
    sparse().destroy_sparse(matrix);
    sparse().destroy(library);
    cudaFree(work);
  }
  float one = 1, zero = 0;
  cusparseOperation_t operation;
  cusparseSpMMAlg_t algorithm;
  Buffer<float> values;
  cusparseHandle_t library = nullptr;
  cusparseSpMatDescr_t matrix = nullptr;
  cusparseDnMatDescr_t factor = nullptr, result = nullptr;
  void* work = nullptr;
};

bool SparseTimesDense::available() { return sparse().handle && sparse().multiply && sparse().buffer_size; }

SparseTimesDense::SparseTimesDense(const ResidentChunk& chunk, const Buffer<float>& b, int width, bool transposed, Algorithm algorithm)
    : handles_(std::make_unique<Handles>(chunk, b, width, transposed, algorithm)) {}
SparseTimesDense::~SparseTimesDense() = default;

void SparseTimesDense::run(cudaStream_t stream) const {
  const Handles& h = *handles_;
  check_sparse(sparse().set_stream(h.library, stream), "cusparseSetStream");
  check_sparse(sparse().multiply(h.library, h.operation, CUSPARSE_OPERATION_NON_TRANSPOSE, &h.one, h.matrix, h.factor, &h.zero, h.result,
                                 CUDA_R_32F, h.algorithm, h.work),
               "SpMM");
}

std::vector<float> SparseTimesDense::result() const { return handles_->values.to_host(); }

}  // namespace quern::lanes
