// The dense linear algebra that a library does (OpenBLAS, LAPACK), one thread a call. Matrices are row after row; calls may be concurrent.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/memory.hpp"

namespace quern {

// out = transposed a times b: a is n_rows x n_a, b is n_rows x n_b, rows `stride` apart; out is n_a x n_b, rows out_stride apart.
void multiply_transposed(const double* a, const double* b, std::int64_t n_rows, std::int64_t n_a, std::int64_t n_b, std::int64_t stride,
                         double* out, std::int64_t out_stride);
// The same of a with itself: the part of out at and right of the diagonal.
void multiply_with_itself(const double* a, std::int64_t n_rows, std::int64_t n_a, std::int64_t stride, double* out,
                          std::int64_t out_stride);

// What find_largest_eigenpairs takes besides its arguments.
std::size_t eigenpair_bytes(std::int64_t n);
// Of a symmetric matrix, of which the part at and right of the diagonal is read; all of it is used up. The n_pairs largest eigenvalues go
// to the front of `values` (as long as the matrix), the largest first; their vectors, of length 1, row after row to `vectors`.
// internal error("no-eigenvalues") when the library does not find them.
void find_largest_eigenpairs(std::span<double> matrix, std::int64_t n_pairs, std::span<double> values, std::span<double> vectors);

// Of vectors of length n, one after the other. Takes what is along the orthonormal `basis` out of `vectors`, and tells how much that was:
// along[i + k * n_basis], of vector k along basis vector i.
void project_out(std::span<const double> basis, std::span<double> vectors, std::int64_t n, std::span<double> along);
// Makes `count` vectors orthonormal; the upper triangle (columns first) leads back to what they were.
std::vector<double> make_orthonormal(std::span<double> vectors, std::int64_t n, std::int64_t count);
// The product of two upper triangles of this size (columns first).
std::vector<double> multiply_triangles(std::span<const double> a, std::span<const double> b, std::int64_t n);
// out[k] = the sum over i of weights[i + k * n_basis] basis[i].
void combine(std::span<const double> basis, std::span<const double> weights, std::int64_t n, std::span<double> out);

}  // namespace quern
