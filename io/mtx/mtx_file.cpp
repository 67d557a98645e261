#include "io/mtx/mtx_file.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <vector>

#include "host/core/error.hpp"
#include "io/hdf5/sparse_group.hpp"
#include "io/mtx/text_lines.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;
const std::string matrix_name = "matrix.mtx";

// `stem` itself or its gzipped form; empty when neither is a file.
std::string plain_or_gz(const std::string& stem) {
  for (const char* ending : {"", ".gz"})
    if (fs::is_regular_file(stem + ending)) return stem + ending;
  return {};
}

// The only file of the directory whose name ends in matrix.mtx[.gz]; empty when there is none or more than one.
std::string only_matrix_in(const std::string& directory) {
  std::string found;
  for (const auto& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const std::string stem = name.size() > 3 && name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name;
    if (!stem.ends_with(matrix_name) || !entry.is_regular_file()) continue;
    if (!found.empty()) return {};
    found = entry.path().string();
  }
  return found;
}

// What stands before "matrix.mtx" in the file's path: its folder and a common prefix. A name of another form has its folder only.
std::string prefix_of(const std::string& matrix) {
  const std::size_t at = matrix.rfind(matrix_name);
  const std::size_t folder = matrix.rfind('/') + 1;  // 0 when there is none
  return at != std::string::npos && at >= folder ? matrix.substr(0, at) : matrix.substr(0, folder);
}

struct Header {
  std::string field;
  std::int64_t rows = 0, cols = 0, entries = 0;
};

Header read_header(const std::string& path) {
  TextLines lines(path);
  std::string line;
  lines.next(line);
  std::transform(line.begin(), line.end(), line.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::istringstream banner(line);
  std::string mark, object, format, symmetry;
  Header header;
  banner >> mark >> object >> format >> header.field >> symmetry;
  if (mark != "%%matrixmarket" || object != "matrix")
    throw input_error("bad-mtx", path, "the first line is not that of a MatrixMarket matrix");
  const bool known =
      format == "coordinate" && symmetry == "general" && (header.field == "integer" || header.field == "real" || header.field == "pattern");
  if (!known)
    throw input_error(
        "unknown-encoding", path,
        "MatrixMarket '" + format + " " + header.field + " " + symmetry + "', expected coordinate integer|real|pattern general");
  while (lines.next(line))
    if (!is_blank(line) && line[0] != '%') break;
  std::istringstream sizes(line);
  if (!(sizes >> header.rows >> header.cols >> header.entries) || header.entries < 0)
    throw input_error("bad-mtx", path, "expected a line with rows, columns and entries, found '" + line.substr(0, 60) + "'");
  return header;
}

ColumnInfo text_column(const std::string& name) {
  ColumnInfo column;
  column.name = name;
  column.kind = "string";
  return column;
}

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace

std::optional<MtxFiles> find_mtx(const std::string& path) {
  MtxFiles files;
  files.matrix = path;
  if (fs::is_directory(path)) {
    files.matrix = plain_or_gz((fs::path(path) / matrix_name).string());
    if (files.matrix.empty()) files.matrix = only_matrix_in(path);
    if (files.matrix.empty()) return std::nullopt;
  }
  const std::string prefix = prefix_of(files.matrix);
  files.barcodes = plain_or_gz(prefix + "barcodes.tsv");
  files.features = plain_or_gz(prefix + "genes.tsv");
  files.legacy = !files.features.empty();
  if (!files.legacy) files.features = plain_or_gz(prefix + "features.tsv");
  return files;
}

std::string positional_names_text(const std::string& table, std::int64_t lines, std::int64_t size, const std::string& prefix) {
  const std::string found =
      lines < 0 ? "there is no table of names" : table + " has " + std::to_string(lines) + " lines, expected " + std::to_string(size);
  return found + "; they are called " + prefix + "1, " + prefix + "2 ...";
}

FileInfo describe_mtx(const std::string& path, const MtxFiles& files) {
  const Header header = read_header(files.matrix);
  check_shape(header.cols, header.rows, files.matrix);
  FileInfo info;
  info.path = path;
  info.format = files.legacy ? Format::mtx_v2 : Format::mtx_v3;
  info.n_obs = header.cols;  // MatrixMarket files of 10x are genes x cells
  info.n_vars = header.rows;
  MatrixInfo matrix;
  matrix.name = "X";
  matrix.rows = info.n_obs;
  matrix.cols = info.n_vars;
  matrix.nnz = header.entries;
  matrix.data.path = files.matrix;
  matrix.data.type = header.field;
  matrix.data.dims = {header.entries};
  if (files.matrix.ends_with(".gz")) matrix.data.filters = {"gzip"};
  matrix.data.bytes_on_disk = static_cast<std::int64_t>(fs::file_size(files.matrix));
  info.matrices.push_back(matrix);
  info.obs.path = files.barcodes;
  info.obs.size = info.n_obs;
  info.var.path = files.features;
  info.var.size = info.n_vars;
  if (!files.barcodes.empty()) info.obs.index = "barcodes";
  for (const auto& [table, prefix] : {std::pair(files.barcodes, "cell_"), std::pair(files.features, "gene_")})
    if (table.empty()) info.warnings.push_back({"no-usable-names", positional_names_text(table, -1, 0, prefix)});
  const int columns = files.features.empty() ? 0 : count_tsv_columns(files.features);
  if (columns > 0) info.var.index = columns > 1 ? "gene_symbols" : "gene_ids";
  if (columns > 1) info.var.columns.push_back(text_column("gene_ids"));
  if (columns > 2) info.var.columns.push_back(text_column("feature_types"));
  for (const std::string& file : {files.barcodes, files.features, files.matrix})
    if (!file.empty()) {
      info.keys["files"].push_back(file_name(file));
      info.bytes += static_cast<std::int64_t>(fs::file_size(file));
    }
  std::sort(info.keys["files"].begin(), info.keys["files"].end());
  return info;
}

}  // namespace quern::io
