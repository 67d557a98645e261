// A group of data, indices and indptr: how h5ad and 10x store sparse matrices.
#pragma once
#include <cstdint>
#include <string>

#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// Checks what the metadata can tell: all three there, one-dimensional, of number types, lengths that agree with one another and with
// the shape, columns that 31 bits can number. Throws input_error "missing-object", "bad-type", "bad-shape". `storage` csr: indptr is by
// row.
MatrixInfo describe_sparse(const Hdf5File& file, const std::string& group, const std::string& name, Storage storage, std::int64_t rows,
                           std::int64_t cols);

// The same checks for the shape alone; `where` is named in the error.
void check_shape(std::int64_t rows, std::int64_t cols, const std::string& where);

}  // namespace quern::io
