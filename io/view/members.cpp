// What a group holds, one line a member.
#include <algorithm>

#include "io/h5ad/column.hpp"
#include "io/h5ad/encoding.hpp"
#include "io/h5ad/frame.hpp"
#include "io/h5ad/h5ad_file.hpp"
#include "io/view/array_names.hpp"
#include "io/view/element.hpp"

namespace quern::io {
namespace {

std::string shape_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t dim : dims) text += (text.empty() ? "" : " x ") + std::to_string(dim);
  return text;
}

void describe_group(const Hdf5File& file, const std::string& path, Member& member) {
  member.kind = encoding_of(file.open(path).get(), path).type;
  const bool untagged = member.kind.empty();
  if (untagged && encoding_of(file.open(path).get(), path).version.empty()) member.kind = "group";
  if (member.kind == "dataframe") {
    FileInfo unused;
    const FrameInfo frame = read_frame(file, path, unused);
    member.shape = shape_text({frame.size, static_cast<std::int64_t>(frame.columns.size())});
  } else if (member.kind == "categorical" || member.kind.starts_with("nullable-")) {
    const auto cut = path.rfind('/');
    member.shape = std::to_string(column_size(file, find_column(file, path.substr(0, cut), path.substr(cut + 1))));
  } else if (member.kind == "csr_matrix" || member.kind == "csc_matrix" || file.is_dataset(path + "/indptr")) {
    const auto matrix = describe_matrix(file, path, path);
    member.kind = std::string(storage_name(matrix->storage)) + "_matrix";
    member.shape = shape_text({matrix->rows, matrix->cols});
  } else {
    const auto n = file.children(path).size();
    member.shape = std::to_string(n) + (n == 1 ? " key" : " keys");
  }
}

void describe_dataset(const Hdf5File& file, const std::string& path, Member& member) {
  const Dataset dataset = open_described(file, path);
  member.kind = dataset.is_null ? "null" : dataset.element.name;
  member.shape = shape_text(dataset.dims);
  if (!dataset.is_null && dataset.dims.empty()) member.value = scalar_text(file, path);
}

}  // namespace

std::vector<Member> list_members(const Hdf5File& file, const std::string& group) {
  std::vector<Member> members;
  if (file.is_dataset(group)) {
    const Dataset table = open_described(file, group);
    for (const std::string& field : compound_fields(table))
      members.push_back({field,
                         "field",
                         shape_text({table.count(), std::max<std::int64_t>(1, static_cast<std::int64_t>(field_width(table, field)))}),
                         {}});
    return members;
  }
  for (const std::string& name : file.children(group)) {
    Member member;
    member.name = name;
    const std::string path = join_path(group, name);
    try {
      const ObjectKind kind = file.kind(path);
      if (kind == ObjectKind::group) describe_group(file, path, member);
      if (kind == ObjectKind::dataset) describe_dataset(file, path, member);
      if (kind == ObjectKind::none || kind == ObjectKind::other) member.kind = kind == ObjectKind::none ? "broken link" : "type";
    } catch (const Error& error) {
      if (error.code() == "corrupt-hdf5") throw;
      member.kind = "unreadable";
      member.value = error.what();
    }
    members.push_back(std::move(member));
  }
  return members;
}

}  // namespace quern::io
