#include "io/h5ad/frame.hpp"

#include "io/h5ad/column.hpp"
#include "io/h5ad/encoding.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/hdf5/dataset.hpp"

namespace quern::io {
namespace {

std::vector<std::string> field_names(const Hdf5File& file, const std::string& path) {
  const Dataset table = open_described(file, path);
  if (table.element.kind != TypeClass::compound || table.dims.size() != 1)
    throw input_error("bad-type", path, "expected a dataframe, found a dataset of " + table.element.name);
  std::vector<std::string> names = compound_fields(table);
  if (names.empty()) throw input_error("bad-type", path, "a table without fields");
  return names;
}

// anndata cannot open such a file at all; the names and the matrices are readable all the same.
void tell_unknown_columns(const std::string& path, FileInfo& info) {
  const std::string text = "the attribute column-order of " + path + " is missing: its columns are not known";
  info.problems.push_back({path, "missing-attribute", text});
  info.warnings.push_back({"missing-attribute", text});
}

std::vector<std::string> columns_of(const Hdf5File& file, const std::string& path, FrameInfo& frame, FileInfo& info) {
  if (file.is_dataset(path)) {
    std::vector<std::string> names = field_names(file, path);
    frame.index = names.front();
    names.erase(names.begin());
    return names;
  }
  const ObjectHandle group = file.open(path);
  require_encoding(group.get(), path, {{"dataframe", "0.1.0"}, {"dataframe", "0.2.0"}});
  const auto index = string_attribute(group.get(), "_index", path);
  if (!index) throw input_error("missing-attribute", path, "a dataframe without the attribute _index, which names its index");
  frame.index = *index;
  if (!has_attribute(group.get(), "column-order", path)) tell_unknown_columns(path, info);
  return string_list_attribute(group.get(), "column-order", path);
}

void add_column(const Hdf5File& file, const std::string& name, FrameInfo& frame, FileInfo& info) {
  const std::string object = join_path(frame.path, name);
  try {
    const ColumnPlace place = find_column(file, frame.path, name);
    frame.columns.push_back(describe_column(file, place, name));
    if (place.form == ColumnForm::unknown)
      return info.problems.push_back({object, "unknown-encoding", "the encoding '" + place.encoding + "' is not known"});
    const std::int64_t size = column_size(file, place);
    if (size != frame.size)
      info.problems.push_back({object, "bad-shape", "holds " + std::to_string(size) + " values, the index " + std::to_string(frame.size)});
  } catch (const Error& error) {
    if (error.code() == "external-reference" || error.code() == "corrupt-hdf5") throw;
    info.problems.push_back({error.object().empty() ? object : error.object(), error.code(), error.what()});
  }
}

}  // namespace

FrameInfo read_frame(const Hdf5File& file, const std::string& path, FileInfo& info) {
  if (file.kind(path) == ObjectKind::none) throw input_error("missing-group", path, "expected, but not in the file");
  FrameInfo frame;
  frame.path = path;
  const std::vector<std::string> columns = columns_of(file, path, frame, info);
  const ColumnPlace index = find_column(file, path, frame.index);
  frame.size = column_size(file, index);
  for (const std::string& name : columns) add_column(file, name, frame, info);
  return frame;
}

std::string frame_generation(const Hdf5File& file, const std::string& path) {
  if (file.is_dataset(path)) return "anndata<=0.6";
  return string_attribute(file.open(path).get(), "encoding-version", path) == "0.2.0" ? "anndata>=0.8" : "anndata 0.7";
}

}  // namespace quern::io
