#include "io/view/element.hpp"

#include <algorithm>

#include "io/h5ad/column.hpp"
#include "io/h5ad/encoding.hpp"
#include "io/h5ad/frame.hpp"
#include "io/h5ad/h5ad_file.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/view/array_names.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t most_grid_columns = 10000;

std::pair<std::string, std::string> split_path(const std::string& path) {
  const std::size_t cut = path.rfind('/');
  return {path.substr(0, cut), path.substr(cut + 1)};
}

Error nothing_there(const Hdf5File& file, const std::string& path) {
  std::string parent = split_path(path).first;
  while (!parent.empty() && file.kind(parent) == ObjectKind::none) parent = split_path(parent).first;
  std::string names;
  for (const Member& member : list_members(file, parent)) names += (names.empty() ? "" : ", ") + member.name;
  return input_error("missing-object", path,
                     "not in the file: " + (parent.empty() ? "/" : parent) + " has " +
                         (names.empty()        ? "nothing"
                          : names.size() > 300 ? names.substr(0, 300) + " ..."
                                               : names));
}

bool is_list_group(const std::string& encoding) { return encoding == "categorical" || encoding.starts_with("nullable-"); }

bool is_known_group(const std::string& encoding) {
  static const std::vector<std::string> known{"", "anndata", "raw", "dict", "awkward-array", "MuData"};
  return std::find(known.begin(), known.end(), encoding) != known.end();
}

bool is_sparse(const Hdf5File& file, const std::string& path, const std::string& encoding) {
  return encoding == "csr_matrix" || encoding == "csc_matrix" ||
         (encoding.empty() && has_attribute(file.open(path).get(), "h5sparse_format", path));
}

Element open_matrix(const Hdf5File& file, const std::string& path) {
  Element out;
  out.kind = ElementKind::matrix;
  out.path = path;
  out.matrix.file = file.id();
  out.matrix.path = file.path();
  out.matrix.matrix = *describe_matrix(file, path, path.substr(1));
  out.rows = {"row", out.matrix.matrix.rows, nullptr};
  out.columns = {"column", out.matrix.matrix.cols, nullptr};
  return out;
}

Element open_group(const Hdf5File& file, const std::string& path) {
  const Encoding encoding = encoding_of(file.open(path).get(), path);
  if (is_list_group(encoding.type)) return open_list(file, path);
  if (is_sparse(file, path, encoding.type)) return open_matrix(file, path);
  if (encoding.type == "dataframe") return open_frame(file, path);
  if (!is_known_group(encoding.type))
    throw input_error("unknown-encoding", path, "the encoding '" + encoding.type + " " + encoding.version + "' is not known here");
  Element out;
  out.kind = ElementKind::group;
  out.path = path;
  out.members = list_members(file, path);
  return out;
}

Element open_value(const Hdf5File& file, const Dataset& dataset) {
  Element out;
  out.path = dataset.path;
  out.value = scalar_text(file, dataset.path);
  out.value_kind = dataset.is_null ? "null" : dataset.element.name;
  return out;
}

OpenNames opener(const Hdf5File& file, const ColumnPlace& place, const std::string& kind) {
  return [&file, place, real = kind.starts_with("float")] {
    auto values = open_column(file, place);
    return real ? shortest_numbers(std::move(values)) : std::move(values);
  };
}

bool concerns(const Problem& problem, const std::string& column) {
  return problem.object == column || problem.object.starts_with(column + "/") || problem.object.starts_with(column + " ");
}

Element open_record(const Hdf5File& file, const Dataset& table) {
  Element out;
  out.kind = ElementKind::table;
  out.path = table.path;
  out.rows = {"row", table.dims[0], nullptr};
  for (const std::string& field : compound_fields(table)) {
    const ColumnPlace place{ColumnForm::field, table.path, field, {}, {}, {}};
    const std::size_t width = field_width(table, field);
    if (width == 0) {
      const ColumnInfo info = describe_column(file, place, field);
      out.table.push_back({field, info.kind, opener(file, place, info.kind)});
    }
    for (std::size_t i = 0; i < width; ++i)
      out.table.push_back({field + "," + std::to_string(i), "float64",
                           [&file, path = table.path, field, i] { return open_field_column(file, path, field, i); }});
  }
  return out;
}

}  // namespace

std::unique_ptr<NameSource> open_axis(const Axis& axis) { return axis.names ? axis.names() : numbered(axis.size); }

Element open_element(const Hdf5File& file, const std::string& path) {
  const ObjectKind kind = file.kind(path);
  if (kind == ObjectKind::group) return open_group(file, path.empty() ? "/" : path);
  if (kind == ObjectKind::none) {
    const auto [parent, name] = split_path(path);
    if (file.is_dataset(parent)) {
      const auto fields = compound_fields(open_described(file, parent));
      if (std::find(fields.begin(), fields.end(), name) != fields.end()) return open_field(file, parent, name);
    }
    throw nothing_there(file, path);
  }
  if (kind != ObjectKind::dataset) throw input_error("bad-type", path, "neither a group nor a dataset");
  const Dataset dataset = open_described(file, path);
  if (dataset.is_null || dataset.dims.empty()) return open_value(file, dataset);
  const bool complex = dataset.element.name.starts_with("complex");
  if (dataset.element.kind == TypeClass::compound && !complex && dataset.dims.size() == 1) return open_record(file, dataset);
  if (dataset.dims.size() == 2 && dataset.element.is_number() && dataset.element.size <= 8) return open_matrix(file, path);
  return dataset.dims.size() == 1 && !complex ? open_list(file, path) : open_grid(file, path);
}

Element open_frame(const Hdf5File& file, const std::string& path) {
  FileInfo info;
  const FrameInfo frame = read_frame(file, path, info);
  Element out;
  out.kind = ElementKind::table;
  out.path = path;
  out.rows = {frame.index == "_index" ? "index" : frame.index, frame.size, nullptr};
  out.rows.names = [&file, path, index = frame.index] { return open_column(file, find_column(file, path, index)); };
  for (const ColumnInfo& column : frame.columns) {
    const std::string object = join_path(path, column.name);
    const bool bad =
        std::any_of(info.problems.begin(), info.problems.end(), [&](const Problem& problem) { return concerns(problem, object); });
    if (!bad) out.table.push_back({column.name, column.kind, opener(file, find_column(file, path, column.name), column.kind)});
  }
  out.problems = std::move(info.problems);
  return out;
}

Element open_list(const Hdf5File& file, const std::string& path) {
  const auto [parent, name] = split_path(path);
  const ColumnPlace place = find_column(file, parent, name);
  const ColumnInfo info = describe_column(file, place, "value");
  Element out;
  out.kind = ElementKind::table;
  out.path = path;
  out.rows = {"row", column_size(file, place), nullptr};
  out.table.push_back({"value", info.kind, opener(file, place, info.kind)});
  return out;
}

Element open_grid(const Hdf5File& file, const std::string& path) {
  const Dataset dataset = open_described(file, path);
  Element out;
  out.kind = ElementKind::table;
  out.path = path;
  out.rows = {"row", dataset.dims[0], nullptr};
  std::int64_t n_columns = 1;
  for (std::size_t axis = 1; axis < dataset.dims.size(); ++axis)
    if (__builtin_mul_overflow(n_columns, dataset.dims[axis], &n_columns) || n_columns > most_grid_columns)
      throw input_error("too-many-columns", path,
                        "an array of " + std::to_string(dataset.dims.size()) + " dimensions with more than " +
                            std::to_string(most_grid_columns) + " columns");
  for (std::int64_t column = 0; column < n_columns; ++column) {
    std::vector<std::int64_t> place(dataset.dims.size() - 1);
    std::int64_t rest = column;
    for (std::size_t axis = place.size(); axis-- > 0; rest /= dataset.dims[axis + 1]) place[axis] = rest % dataset.dims[axis + 1];
    std::string name;
    for (const std::int64_t number : place) name += (name.empty() ? "" : ",") + std::to_string(number);
    out.table.push_back(
        {name.empty() ? "value" : name, dataset.element.name, [&file, path, place] { return open_array_column(file, path, place); }});
  }
  return out;
}

Element open_field(const Hdf5File& file, const std::string& path, const std::string& field) {
  const Dataset table = open_described(file, path);
  Element out;
  out.kind = ElementKind::table;
  out.path = join_path(path, field);
  out.rows = {"row", table.dims[0], nullptr};
  const std::size_t width = field_width(table, field);
  if (width == 0) {  // of single values
    const ColumnPlace place{ColumnForm::field, path, field, {}, {}, {}};
    const std::string kind = describe_column(file, place, field).kind;
    out.table.push_back({"0", kind, opener(file, place, kind)});
  }
  for (std::size_t i = 0; i < width; ++i)
    out.table.push_back({std::to_string(i), "float64", [&file, path, field, i] { return open_field_column(file, path, field, i); }});
  return out;
}

}  // namespace quern::io
