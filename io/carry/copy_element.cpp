#include "io/carry/copy_element.hpp"

#include <algorithm>
#include <array>

#include "io/carry/copy_array.hpp"
#include "io/carry/copy_frame.hpp"
#include "io/carry/copy_text.hpp"
#include "io/carry/rows_out.hpp"
#include "io/h5ad/encoding.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/view/array_names.hpp"

namespace quern::io {
namespace {

constexpr std::array tags{"encoding-type", "encoding-version"};
constexpr int deepest = 32;  // groups in groups

bool is_whole(std::span<const Selection> axes) {
  return std::all_of(axes.begin(), axes.end(), [](const Selection& axis) { return axis.keeps_all(); });
}

void tag_and_close(OutputDataset dataset, const char* type) {
  if (*type != '\0') tag_element(dataset.get(), dataset.object(), type, "0.2.0");
  dataset.close();
}

std::pair<std::string, std::string> parent_and_name(const std::string& path) {
  const std::size_t cut = path.rfind('/');
  return {path.substr(0, cut), path.substr(cut + 1)};
}

bool is_sparse(const Hdf5File& file, const std::string& path, const Encoding& encoding) {
  if (encoding.type == "csr_matrix" || encoding.type == "csc_matrix") return true;
  return encoding.type.empty() && has_attribute(file.open(path).get(), "h5sparse_format", path);
}

void copy_group(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name,
                std::span<const Selection> axes) {
  const Encoding encoding = encoding_of(context.from.open(path).get(), path);
  if (is_sparse(context.from, path, encoding)) return copy_sparse(context, path, to, name, axes);
  static const Selection all;
  const Selection& rows = axes.empty() ? all : axes[0];
  if (encoding.type == "dataframe") return copy_frame(context, path, to, name, rows, {}, false);
  if (encoding.type == "categorical" || encoding.type.starts_with("nullable-")) {
    const auto [parent, child] = parent_and_name(path);
    return copy_column(context, find_column(context.from, parent, child), name, to, rows, false);
  }
  const bool is_known = encoding.type.empty() || encoding.type == "dict" || encoding.type == "anndata" || encoding.type == "raw";
  if (!is_known || !is_whole(axes)) return copy_unknown(context, path, to, name, is_whole(axes));
  if (std::count(path.begin(), path.end(), '/') > deepest)
    throw input_error("too-deep", path, "more than 32 groups in one another", "quern check names all that is wrong with the file");
  OutputGroup group = make_group(to, name);
  tag_element(group.get(), group.object(), encoding.type.empty() ? "dict" : encoding.type, "0.1.0");
  copy_attributes(context, context.from.open(path).get(), path, group.get(), group.object(), tags);
  copy_members(context, path, group, {});
  group.close();
}

// anndata before 0.8 kept a text as a list of one, of fixed length.
bool is_single_text(const Dataset& dataset, const Encoding& encoding) {
  return dataset.dims.empty() || (encoding.type.empty() && !dataset.element.variable_length && dataset.count() == 1);
}

void copy_text_dataset(CarryContext& context, const Dataset& dataset, const Encoding& encoding, const OutputGroup& to,
                       const std::string& name, std::span<const Selection> axes) {
  if (encoding.type == "bytes") return copy_unknown(context, dataset.path, to, name, is_whole(axes));
  if (dataset.dims.empty() && axes.empty()) return write_text(to, name, scalar_text(context.from, dataset.path));
  if (dataset.dims.size() > 1 || dataset.dims.empty()) return tag_and_close(copy_array(context, dataset, to, name, axes), "string-array");
  ColumnPlace place;
  place.values = dataset.path;
  const auto texts = open_column(context.from, place);
  static const Selection all;
  if (!is_single_text(dataset, encoding) || !axes.empty()) return copy_texts(context, *texts, axes.empty() ? all : axes[0], to, name);
  std::vector<std::string> single;
  texts->read({0, 1}, single);
  write_text(to, name, single.front());
}

const char* array_tag(const Dataset& dataset, const Encoding& encoding) {
  const bool is_table = dataset.element.kind == TypeClass::compound && !dataset.element.name.starts_with("complex");
  if (dataset.element.kind == TypeClass::other) return "";
  if (is_table) return dataset.dims.empty() && encoding.type.empty() ? "" : "rec-array";
  return dataset.dims.empty() ? "numeric-scalar" : "array";
}

void copy_dataset(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name,
                  std::span<const Selection> axes) {
  static constexpr std::array known{"array", "string-array", "numeric-scalar", "string", "bytes", "rec-array", "null", ""};
  const Dataset dataset = open_described(context.from, path);
  const Encoding encoding = encoding_of(dataset.id.get(), path);
  if (dataset.is_null || encoding.type == "null")
    return context.warn("left-out", path + ": None, which anndata before 0.12 cannot read, is left out");
  if (std::find(known.begin(), known.end(), encoding.type) == known.end()) return copy_unknown(context, path, to, name, is_whole(axes));
  if (!axes.empty() && dataset.dims.size() < axes.size())
    throw input_error("bad-shape", path,
                      "has " + std::to_string(dataset.dims.size()) + " dimensions, expected " + std::to_string(axes.size()) + " or more");
  if (dataset.element.kind == TypeClass::string) return copy_text_dataset(context, dataset, encoding, to, name, axes);
  tag_and_close(copy_array(context, dataset, to, name, axes), array_tag(dataset, encoding));
}

void copy_verbatim(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name) {
  const ObjectKind kind = context.from.kind(path);
  if (kind == ObjectKind::dataset) {
    const Dataset dataset = open_described(context.from, path);
    OutputDataset copy = copy_array(context, dataset, to, name, {});
    copy_attributes(context, dataset.id.get(), path, copy.get(), copy.object(), {});
    return copy.close();
  }
  if (kind != ObjectKind::group) throw input_error("bad-type", path, "neither a group nor a dataset");
  OutputGroup group = make_group(to, name);
  copy_attributes(context, context.from.open(path).get(), path, group.get(), group.object(), {});
  if (std::count(path.begin(), path.end(), '/') > deepest) throw input_error("too-deep", path, "more than 32 groups in one another");
  for (const std::string& child : context.from.children(path)) copy_verbatim(context, join_path(path, child), group, child);
  group.close();
}

}  // namespace

void copy_element(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name,
                  std::span<const Selection> axes) {
  switch (context.from.kind(path)) {
    case ObjectKind::none:
      return context.warn("left-out", path + ": a link that leads nowhere is left out");
    case ObjectKind::other:
      return context.warn("left-out", path + ": a stored type, which holds no values, is left out");
    case ObjectKind::group:
      return copy_group(context, path, to, name, axes);
    case ObjectKind::dataset:
      return copy_dataset(context, path, to, name, axes);
  }
}

void copy_members(CarryContext& context, const std::string& path, const OutputGroup& to, std::span<const Selection> axes,
                  std::span<const std::string> without) {
  const auto is_wanted = [&](const std::string& name) { return std::find(without.begin(), without.end(), name) == without.end(); };
  if (context.from.is_dataset(path)) {
    const Dataset table = open_described(context.from, path);
    static const Selection all;
    for (const std::string& field : compound_fields(table))
      if (is_wanted(field)) tag_and_close(copy_field(context, table, field, to, field, axes.empty() ? all : axes[0]), "array");
    return;
  }
  for (const std::string& child : context.from.children(path))
    if (is_wanted(child)) copy_element(context, join_path(path, child), to, child, axes);
}

void copy_unknown(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name, bool whole) {
  if (!whole) {
    const Encoding encoding = encoding_of(context.from.open(path).get(), path);
    throw input_error("unknown-encoding", path,
                      "the encoding '" + encoding.type + "' is not known here, so that no part of it can be copied",
                      "remove it with Python, then run again");
  }
  copy_verbatim(context, path, to, name);
}

OutputDataset copy_single(CarryContext& context, const Dataset& from, const OutputGroup& to, const std::string& name) {
  std::vector<std::byte> value(from.element.size);
  read_values(from, from.type.get(), {}, H5P_DEFAULT, value.data(), from.path);
  RowsOut out(to, name, from.type.get(), 1, {}, {}, context.budget);
  out.append(value);
  return out.finish();
}

}  // namespace quern::io
