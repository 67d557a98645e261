#include "io/tenx/tenx_file.hpp"

#include <algorithm>
#include <utility>

#include "io/h5ad/column.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/sparse_group.hpp"

namespace quern::io {
namespace {

// Cells and genes: 10x stores (features, barcodes).
std::pair<std::int64_t, std::int64_t> shape_of(const Hdf5File& file, const std::string& group) {
  const auto shape = read_small_integers(file, group + "/shape", 16);
  if (shape.size() != 2) throw input_error("bad-shape", group + "/shape", "expected two numbers, found " + std::to_string(shape.size()));
  return {shape[1], shape[0]};
}

bool is_list_of(const Hdf5File& file, const std::string& path, std::int64_t size) {
  if (!file.is_dataset(path)) return false;
  const Dataset dataset = open_described(file, path);
  return !dataset.is_null && dataset.dims == std::vector<std::int64_t>{size};
}

// The first of `names` in `group` that lists `size` texts; empty when there is none.
std::string usable_names(const Hdf5File& file, const std::string& group, const std::vector<std::string>& names, std::int64_t size) {
  for (const std::string& name : names) {
    const std::string path = join_path(group, name);
    if (is_list_of(file, path, size) && open_described(file, path).element.kind == TypeClass::string) return name;
  }
  return {};
}

void add_feature_columns(const Hdf5File& file, FrameInfo& frame, FileInfo& info) {
  for (const std::string& name : file.children(frame.path)) {
    const std::string path = join_path(frame.path, name);
    if (name == frame.index || name == "_all_tag_keys" || !file.is_dataset(path)) continue;
    if (is_list_of(file, path, frame.size)) {
      frame.columns.push_back(describe_column(file, find_column(file, frame.path, name), name));
    } else {
      info.warnings.push_back(
          {"ignored-column", path + " does not hold one value for each of the " + std::to_string(frame.size) + " features: ignored"});
    }
  }
}

void add_matrix(const Hdf5File& file, const std::string& group, const std::string& name, FileInfo& info) {
  const auto [cells, genes] = shape_of(file, group);
  info.matrices.push_back(describe_sparse(file, group, name, Storage::csr, cells, genes));
  info.matrices.back().feature_group = group;
}

void describe_first_frames(const Hdf5File& file, FileInfo& info) {
  const MatrixInfo& first = info.matrices.front();
  info.n_obs = first.rows;
  info.n_vars = first.cols;
  info.obs = tenx_obs(file, first.feature_group, info.n_obs);
  info.var = tenx_var(file, first.feature_group, info.n_vars, info);
  if (info.matrices.size() > 1) return;  // which one is read is not known yet
  if (info.obs.index.empty()) info.warnings.push_back({"no-usable-names", positional_names_text(info.n_obs, "barcodes", "cell_")});
  if (info.var.index.empty()) info.warnings.push_back({"no-usable-names", positional_names_text(info.n_vars, "gene names", "gene_")});
}

}  // namespace

std::vector<std::string> tenx_genomes(const Hdf5File& file) {
  static const std::vector<std::string> needed{"data", "indices", "indptr", "shape"};
  std::vector<std::string> genomes;
  for (const std::string& name : file.children("/")) {
    const auto members = file.children("/" + name);
    if (std::includes(members.begin(), members.end(), needed.begin(), needed.end())) genomes.push_back(name);
  }
  return genomes;
}

std::string positional_names_text(std::int64_t size, const std::string& what, const std::string& prefix) {
  return "the file has no list of " + std::to_string(size) + " " + what + "; they are called " + prefix + "1, " + prefix + "2 ...";
}

FrameInfo tenx_obs(const Hdf5File& file, const std::string& group, std::int64_t size) {
  FrameInfo frame;
  frame.path = group;
  frame.size = size;
  frame.index = usable_names(file, group, {"barcodes"}, size);
  if (is_list_of(file, group + "/filtered_barcodes", size))
    frame.columns.push_back(describe_column(file, find_column(file, group, "filtered_barcodes"), "filtered_barcodes"));
  return frame;
}

FrameInfo tenx_var(const Hdf5File& file, const std::string& group, std::int64_t size, FileInfo& info) {
  FrameInfo frame;
  frame.size = size;
  frame.path = join_path(group, "features");
  if (file.is_group(frame.path)) {
    frame.index = usable_names(file, frame.path, {"name", "id"}, size);
    add_feature_columns(file, frame, info);
    return frame;
  }
  frame.path = group;
  frame.index = usable_names(file, group, {"gene_names", "genes"}, size);
  if (frame.index != "genes" && is_list_of(file, group + "/genes", size))
    frame.columns.push_back(describe_column(file, find_column(file, group, "genes"), "gene_ids"));
  return frame;
}

FileInfo describe_tenx_v2(const Hdf5File& file) {
  FileInfo info;
  info.path = file.path();
  info.format = Format::tenx_v2;
  const auto genomes = tenx_genomes(file);
  for (const std::string& genome : genomes) add_matrix(file, "/" + genome, genomes.size() > 1 ? "genome/" + genome : "X", info);
  describe_first_frames(file, info);
  info.keys["genomes"] = genomes;
  return info;
}

FileInfo describe_tenx_v3(const Hdf5File& file) {
  FileInfo info;
  info.path = file.path();
  info.format = Format::tenx_v3;
  info.writer = string_attribute(file.open("/").get(), "software_version", "/").value_or("");
  add_matrix(file, "/matrix", "X", info);
  describe_first_frames(file, info);
  return info;
}

}  // namespace quern::io
