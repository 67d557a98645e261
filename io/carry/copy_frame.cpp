#include "io/carry/copy_frame.hpp"

#include <algorithm>
#include <array>

#include "io/carry/copy_array.hpp"
#include "io/carry/copy_text.hpp"
#include "io/carry/rows_out.hpp"
#include "io/h5ad/frame.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::io {
namespace {

TypeHandle stored_type(ColumnType type) {
  if (type == ColumnType::boolean) return boolean();
  const hid_t number = type == ColumnType::int32     ? file_type<std::int32_t>()
                       : type == ColumnType::int64   ? file_type<std::int64_t>()
                       : type == ColumnType::uint64  ? H5T_STD_U64LE
                       : type == ColumnType::float32 ? file_type<float>()
                                                     : file_type<double>();
  return TypeHandle(made(H5Tcopy(number), "column", "copy its type"));
}

const NewColumn* find(std::span<const NewColumn> columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const NewColumn& column) { return column.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

// Datasets of the group that no column is made of: anndata ignores them as well.
void warn_of_unlisted(CarryContext& context, const FrameInfo& frame) {
  std::string unlisted;
  for (const std::string& child : context.from.children(frame.path)) {
    const bool is_listed = child == frame.index || child == "__categories" ||
                           std::any_of(frame.columns.begin(), frame.columns.end(), [&](const ColumnInfo& c) { return c.name == child; });
    if (!is_listed) unlisted += (unlisted.empty() ? "" : ", ") + child;
  }
  if (!unlisted.empty()) context.warn("left-out", frame.path + ": what is no column of the table is left out: " + unlisted);
}

FrameInfo whole_frame(CarryContext& context, const std::string& path) {
  FileInfo problems;
  FrameInfo frame = read_frame(context.from, path, problems);
  if (!problems.problems.empty()) {
    const Problem& first = problems.problems.front();
    throw input_error(first.code, first.object, first.text, "quern check names all that is wrong with the file");
  }
  return frame;
}

}  // namespace

std::size_t size_of(ColumnType type) {
  constexpr std::array<std::size_t, 6> sizes{1, 4, 8, 8, 4, 8};
  return sizes.at(static_cast<std::size_t>(type));
}

void write_column(const NewColumn& column, std::int64_t n_rows, const OutputGroup& to, MemoryBudget& budget) {
  constexpr std::int64_t rows_at_once = 65536;
  RowsOut out(to, column.name, stored_type(column.type).get(), n_rows, {}, {}, budget);
  std::vector<std::byte> values(static_cast<std::size_t>(std::min(rows_at_once, n_rows)) * size_of(column.type));
  for (std::int64_t first = 0; first < n_rows; first += rows_at_once) {
    const RowRange rows{first, std::min(first + rows_at_once, n_rows)};
    column.fill(rows, values.data());
    out.append(std::span(values).first(static_cast<std::size_t>(rows.size()) * size_of(column.type)));
  }
  OutputDataset dataset = out.finish();
  tag_element(dataset.get(), dataset.object(), "array", "0.2.0");
  dataset.close();
}

void copy_frame(CarryContext& context, const std::string& path, const OutputGroup& to, const std::string& name, const Selection& rows,
                std::span<const NewColumn> added, bool notes_categories) {
  const FrameInfo frame = whole_frame(context, path);
  std::vector<std::string> names;
  for (const ColumnInfo& column : frame.columns) names.push_back(column.name);
  for (const NewColumn& column : added)
    if (std::find(names.begin(), names.end(), column.name) == names.end()) names.push_back(column.name);
  OutputGroup out = make_frame(to, name, frame.index, names);
  const bool is_group = context.from.is_group(path);
  if (is_group) {
    static constexpr std::array known{"encoding-type", "encoding-version", "_index", "column-order"};
    copy_attributes(context, context.from.open(path).get(), path, out.get(), out.object(), known);
    warn_of_unlisted(context, frame);
  }
  const auto index = open_column(context.from, find_column(context.from, path, frame.index));
  copy_texts(context, *index, rows, out, frame.index);
  for (const std::string& column : names) {
    if (column == frame.index) continue;  // the same values under the same name
    if (const NewColumn* fresh = find(added, column))
      write_column(*fresh, context.survey ? 0 : rows.n_kept(frame.size), out, context.budget);
    else
      copy_column(context, find_column(context.from, path, column), column, out, rows, notes_categories);
  }
  out.close();
}

}  // namespace quern::io
