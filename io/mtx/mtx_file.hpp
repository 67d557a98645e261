// A 10x matrix directory: matrix.mtx, barcodes.tsv, genes.tsv (old) or features.tsv, each plain or gzipped.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "host/core/chunk_source.hpp"
#include "io/file_info.hpp"

namespace quern::io {

struct MtxFiles {
  std::string matrix;              // always there
  std::string barcodes, features;  // empty: not there
  bool legacy = false;             // genes.tsv
};

// `path` is a directory or the matrix file itself; a common prefix (GSM1_matrix.mtx.gz ...) is allowed. Empty when there is no matrix.
std::optional<MtxFiles> find_mtx(const std::string& path);
// What is told where a table is missing (lines < 0) or does not have `size` lines; `prefix` is "cell_" or "gene_".
std::string positional_names_text(const std::string& table, std::int64_t lines, std::int64_t size, const std::string& prefix);
// Reads the header line and the first line of the features; a table that is missing is a warning. Throws input_error "bad-mtx",
// "unknown-encoding".
FileInfo describe_mtx(const std::string& path, const MtxFiles& files);

// One column (from 0) of a table of `size` lines, blank lines left out; the last column when a line has fewer.
// Sequential: reading a range before the last one starts over.
std::unique_ptr<NameSource> open_tsv_column(const std::string& path, int column, std::int64_t size);
// Lines that are not blank. Reads the whole file.
std::int64_t count_tsv_lines(const std::string& path);
int count_tsv_columns(const std::string& path);  // of the first line

}  // namespace quern::io
