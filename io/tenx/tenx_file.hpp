// 10x HDF5 files: v2 (a root group for each genome), v3 and relatives (/matrix). Their features x barcodes in CSC are cells x genes in CSR.
#pragma once
#include <string>
#include <vector>

#include "io/file_info.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

// Root groups that hold a matrix, in byte order.
std::vector<std::string> tenx_genomes(const Hdf5File& file);

FileInfo describe_tenx_v2(const Hdf5File& file);
FileInfo describe_tenx_v3(const Hdf5File& file);

// obs and var of one matrix group. index is empty when the file has no names of the right length for them.
// What is told where they have none: `what` and `prefix` are "barcodes" and "cell_", or "gene names" and "gene_".
std::string positional_names_text(std::int64_t size, const std::string& what, const std::string& prefix);
FrameInfo tenx_obs(const Hdf5File& file, const std::string& group, std::int64_t size);
FrameInfo tenx_var(const Hdf5File& file, const std::string& group, std::int64_t size, FileInfo& info);

}  // namespace quern::io
