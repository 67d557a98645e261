// What an h5ad holds. Each element is read by its own form, never by the file's: mixtures of generations are normal.
#pragma once
#include <optional>
#include <string>

#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// Matrices and columns that are damaged go to info.problems; obs or var without a readable index is thrown.
FileInfo describe_h5ad(const Hdf5File& file);
// The matrix at `path`, sparse or dense; empty when there is none: nothing of this name, or a null element. Throws input_error
// "unknown-encoding", "bad-shape", "bad-type", "missing-object".
std::optional<MatrixInfo> describe_matrix(const Hdf5File& file, const std::string& path, const std::string& name);

}  // namespace quern::io
