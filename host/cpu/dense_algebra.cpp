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

void project_out(std::span<const double> basis, std::span<double> vectors, std::int64_t n, std::span<double> along) {
  const int rows = length(n), n_basis = length(static_cast<std::int64_t>(basis.size()) / n),
            count = length(static_cast<std::int64_t>(vectors.size()) / n);
  cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, n_basis, count, rows, 1, basis.data(), rows, vectors.data(), rows, 0, along.data(),
              n_basis);
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, rows, count, n_basis, -1, basis.data(), rows, along.data(), n_basis, 1,
              vectors.data(), rows);
}

std::vector<double> make_orthonormal(std::span<double> vectors, std::int64_t n, std::int64_t count) {
  const int rows = length(n), columns = length(count);
  std::vector<double> scales(static_cast<std::size_t>(count)), work(static_cast<std::size_t>(count) * 64),
      triangle(static_cast<std::size_t>(count * count));
  const int room = length(count * 64);
  int failed = LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, rows, columns, vectors.data(), rows, scales.data(), work.data(), room);
  for (std::int64_t c = 0; c < count; ++c) std::copy_n(vectors.begin() + c * n, c + 1, triangle.begin() + c * count);
  failed += LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, rows, columns, columns, vectors.data(), rows, scales.data(), work.data(), room);
  if (failed != 0) throw Error(ErrorKind::internal, "no-eigenvalues", "components", "LAPACK could not make vectors orthonormal");
  return triangle;
}

std::vector<double> multiply_triangles(std::span<const double> a, std::span<const double> b, std::int64_t n) {
  std::vector<double> product(b.begin(), b.end());
  cblas_dtrmm(CblasColMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, length(n), length(n), 1, a.data(), length(n),
              product.data(), length(n));
  return product;
}

void combine(std::span<const double> basis, std::span<const double> weights, std::int64_t n, std::span<double> out) {
  const std::int64_t n_basis = static_cast<std::int64_t>(basis.size()) / n, count = static_cast<std::int64_t>(out.size()) / n;
  cblas_dgemm(CblasColMajor, CblasNoTrans, CblasNoTrans, length(n), length(count), length(n_basis), 1, basis.data(), length(n),
              weights.data(), length(n_basis), 0, out.data(), length(n));
}

}  // namespace quern
