// What an input is, by its content; its name does not matter.
#pragma once
#include <string>

#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

enum class Container { hdf5, mtx };

// Looks at the path and the first bytes. Throws input_error for what cannot be an input, saying what it is: "not-found",
// "no-permission", "not-a-file", "empty-file", "no-matrix" (a directory), "zarr", "not-hdf5"; usage_error("stdin-input") for "-".
Container detect_container(const std::string& path);

// Which layout an HDF5 file has; mixtures of h5ad generations are one format. Throws input_error for relatives that hold no matrix we
// read, saying what they are: "molecule-info", "loom", "h5mu", "h5seurat", "unknown-layout".
Format detect_layout(const Hdf5File& file);

}  // namespace quern::io
