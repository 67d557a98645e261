// What an h5ad holds. Each element is read by its own form, never by the file's: mixtures of generations are normal.
#pragma once
#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// Matrices and columns that are damaged go to info.problems; obs or var without a readable index is thrown.
FileInfo describe_h5ad(const Hdf5File& file);

}  // namespace quern::io
