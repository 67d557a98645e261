#include "io/h5ad/h5ad_file.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "io/h5ad/encoding.hpp"
#include "io/h5ad/frame.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/sparse_group.hpp"

namespace quern::io {
namespace {

Storage storage_of(hid_t group, const std::string& path) {
  require_encoding(group, path, {{"csr_matrix", "0.1.0"}, {"csc_matrix", "0.1.0"}});
  std::string format = encoding_of(group, path).type;
  if (format.empty()) format = string_attribute(group, "h5sparse_format", path).value_or("");
  if (format == "csr_matrix" || format == "csr") return Storage::csr;
  if (format == "csc_matrix" || format == "csc") return Storage::csc;
  throw input_error("unknown-encoding", path,
                    "a group that says neither encoding-type nor h5sparse_format" + (format.empty() ? "" : ": " + format));
}

MatrixInfo describe_group(const Hdf5File& file, const std::string& path, const std::string& name) {
  const ObjectHandle group = file.open(path);
  const Storage storage = storage_of(group.get(), path);
  std::vector<std::int64_t> shape = integer_attribute(group.get(), "shape", path);
  if (shape.empty()) shape = integer_attribute(group.get(), "h5sparse_shape", path);
  if (shape.size() != 2)
    throw input_error("bad-shape", path, "expected the attribute shape with two numbers, found " + std::to_string(shape.size()));
  return describe_sparse(file, path, name, storage, shape[0], shape[1]);
}

MatrixInfo describe_dense(const Hdf5File& file, const Dataset& dataset, const std::string& name) {
  require_encoding(dataset.id.get(), dataset.path, {{"array", "0.2.0"}});
  if (!dataset.element.is_number() || dataset.element.size > 8)
    throw input_error("bad-type", dataset.path, "expected numbers of at most 64 bits, found " + dataset.element.name);
  if (dataset.dims.size() != 2)
    throw input_error("bad-shape", dataset.path, "expected two dimensions, found " + std::to_string(dataset.dims.size()));
  check_shape(dataset.dims[0], dataset.dims[1], dataset.path);
  MatrixInfo out;
  out.name = name;
  out.storage = Storage::dense;
  out.rows = dataset.dims[0];
  out.cols = dataset.dims[1];
  out.data = stored_array(file, dataset);
  return out;
}

void check_against_names(const MatrixInfo& matrix, const std::string& path, std::int64_t n_obs, std::int64_t n_vars) {
  if (matrix.rows != n_obs || matrix.cols != n_vars)
    throw input_error("bad-shape", path,
                      "is " + std::to_string(matrix.rows) + " x " + std::to_string(matrix.cols) + ", but the names are " +
                          std::to_string(n_obs) + " x " + std::to_string(n_vars));
}

// Without a matrix a file may be; not with one that cannot be reached.
void refuse_broken_link(const Hdf5File& file, const std::string& path) {
  if (file.is_broken_link(path)) throw input_error("broken-link", path, "a link that leads nowhere");
}

void add_matrix(const Hdf5File& file, const std::string& path, const std::string& name, const FrameInfo& var, FileInfo& info) {
  try {
    std::optional<MatrixInfo> matrix = describe_matrix(file, path, name);
    if (!matrix) return refuse_broken_link(file, path);
    check_against_names(*matrix, path, info.obs.size, var.size);
    matrix->feature_group = var.path;
    info.matrices.push_back(std::move(*matrix));
  } catch (const Error& error) {
    if (error.code() == "external-reference" || error.code() == "corrupt-hdf5") throw;
    info.problems.push_back({error.object(), error.code(), error.what(), name});
  }
}

void add_raw(const Hdf5File& file, FileInfo& info) {
  const bool grouped = file.is_group("/raw");
  const std::string base = grouped ? "/raw/" : "/raw.";
  if (file.kind(base + "X") == ObjectKind::none && !file.is_broken_link(base + "X")) return;
  try {
    info.raw_var = read_frame(file, base + "var", info);
  } catch (const Error& error) {
    if (error.code() == "external-reference" || error.code() == "corrupt-hdf5") throw;
    return info.problems.push_back({error.object(), error.code(), error.what(), "raw"});
  }
  const std::size_t before = info.matrices.size();
  add_matrix(file, base + "X", "raw", info.raw_var, info);
  info.has_raw = info.matrices.size() > before;
}

// Names in obsm and its like: children of a group, fields of an old table.
std::vector<std::string> keys_of(const Hdf5File& file, const std::string& path) {
  if (!file.is_dataset(path)) return file.children(path);
  return compound_fields(open_described(file, path));
}

void warn_of_unknown_keys(const Hdf5File& file, FileInfo& info) {
  static const std::array<const char*, 14> known{"X",   "obs", "var",   "obsm",    "varm",     "obsp",    "varp",
                                                 "uns", "raw", "raw.X", "raw.var", "raw.varm", "raw.cat", "layers"};
  std::string unknown;
  for (const std::string& name : file.children("/"))
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown += (unknown.empty() ? "" : ", ") + name;
  if (!unknown.empty()) info.warnings.push_back({"unknown-keys", "the file holds what h5ad does not know, ignored: " + unknown});
}

}  // namespace

std::optional<MatrixInfo> describe_matrix(const Hdf5File& file, const std::string& path, const std::string& name) {
  const ObjectKind kind = file.kind(path);
  if (kind == ObjectKind::none) return std::nullopt;
  if (kind == ObjectKind::group) return describe_group(file, path, name);
  const Dataset dataset = open_described(file, path);
  if (dataset.is_null || encoding_of(dataset.id.get(), path).type == "null") return std::nullopt;
  return describe_dense(file, dataset, name);
}

FileInfo describe_h5ad(const Hdf5File& file) {
  FileInfo info;
  info.path = file.path();
  info.format = Format::h5ad;
  info.obs = read_frame(file, "/obs", info);
  info.var = read_frame(file, "/var", info);
  info.generation = frame_generation(file, "/obs");
  info.n_obs = info.obs.size;
  info.n_vars = info.var.size;
  add_matrix(file, "/X", "X", info.var, info);
  add_raw(file, info);
  for (const std::string& name : file.children("/layers")) add_matrix(file, "/layers/" + name, "layers/" + name, info.var, info);
  for (const char* key : {"obsm", "varm", "obsp", "varp", "uns"}) info.keys[key] = keys_of(file, std::string("/") + key);
  warn_of_unknown_keys(file, info);
  return info;
}

}  // namespace quern::io
