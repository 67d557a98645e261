#include "host/cpu/dense_algebra.hpp"

#include <cblas.h>
#include <lapacke.h>

#include <algorithm>
#include <string>
#include <vector>

#include "host/core/error.hpp"

namespace quern {
namespace {

int length(std::int64_t n) { return static_cast<int>(n); }

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

std::size_t eigenpair_bytes(std::int64_t n) { return static_cast<std::size_t>(n) * ((26 + 48) * sizeof(double) + 12 * sizeof(lapack_int)); }

void find_largest_eigenpairs(std::span<double> matrix, std::int64_t n_pairs, std::span<double> values, std::span<double> vectors) {
  const lapack_int n = length(static_cast<std::int64_t>(values.size())), pairs = length(n_pairs);
  std::vector<double> work(static_cast<std::size_t>(n) * (26 + 48));
  std::vector<lapack_int> whole_work(static_cast<std::size_t>(n) * 10), support(static_cast<std::size_t>(n) * 2);
  lapack_int n_found = 0;
  // To LAPACK, which counts columns first, our rows are columns and what is right of the diagonal is below it.
  const lapack_int failed = LAPACKE_dsyevr_work(
      LAPACK_COL_MAJOR, 'V', 'I', 'L', n, matrix.data(), n, 0, 0, n - pairs + 1, n, 0, &n_found, values.data(), vectors.data(), n,
      support.data(), work.data(), static_cast<lapack_int>(work.size()), whole_work.data(), static_cast<lapack_int>(whole_work.size()));
  if (failed != 0 || n_found != pairs)
    throw Error(
        ErrorKind::internal, "no-eigenvalues", "components",
        "LAPACK found " + std::to_string(n_found) + " of " + std::to_string(n_pairs) + " eigenvalues (" + std::to_string(failed) + ")");
  std::reverse(values.begin(), values.begin() + n_pairs);
  for (std::int64_t first = 0, last = n_pairs - 1; first < last; ++first, --last)
    std::swap_ranges(vectors.begin() + first * n, vectors.begin() + (first + 1) * n, vectors.begin() + last * n);
}

}  // namespace quern
