#include "host/cpu/dense_algebra.hpp"

#include <cblas.h>

namespace quern {
namespace {

blasint length(std::int64_t n) { return static_cast<blasint>(n); }

}  // namespace

void multiply_transposed(const double* a, const double* b, std::int64_t n_rows, std::int64_t n_a, std::int64_t n_b, std::int64_t stride,
                         double* out, std::int64_t out_stride) {
  cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, length(n_a), length(n_b), length(n_rows), 1, a, length(stride), b, length(stride), 0,
              out, length(out_stride));
}

void multiply_with_itself(const double* a, std::int64_t n_rows, std::int64_t n_a, std::int64_t stride, double* out,
                          std::int64_t out_stride) {
  cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, length(n_a), length(n_rows), 1, a, length(stride), 0, out, length(out_stride));
}

}  // namespace quern
