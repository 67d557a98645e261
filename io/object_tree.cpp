#include "io/object_tree.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "io/detect.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/hdf5/column_data.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/probe.hpp"

namespace quern::io {
namespace {

std::string listed(const std::vector<std::int64_t>& numbers) {
  std::string text;
  for (const std::int64_t number : numbers) text += (text.empty() ? "" : " x ") + std::to_string(number);
  return text;
}

std::string dataset_words(const Dataset& dataset) {
  if (dataset.is_null) return "null";
  std::string text = dataset.element.name + (dataset.element.big_endian ? " (big-endian)" : "");
  text += dataset.dims.empty() ? " scalar" : "  " + listed(dataset.dims);
  const auto chunk = chunk_dims(dataset.id.get());
  if (!chunk.empty()) text += "  chunk " + listed(chunk);
  for (const std::string& filter : filter_names(dataset.id.get())) text += " " + filter;
  return text;
}

// "csr_matrix 0.1.0", "h5sparse csr", or nothing.
std::string tag_words(hid_t object) {
  const auto read = [&](const char* name) { return string_attribute(object, name, name).value_or(""); };
  const std::string type = read("encoding-type");
  if (!type.empty()) return type + " " + read("encoding-version");
  const std::string sparse = read("h5sparse_format");
  return sparse.empty() ? "" : "h5sparse " + sparse;
}

std::string shape_words(hid_t object) {
  for (const char* name : {"shape", "h5sparse_shape"}) {
    const auto shape = has_attribute(object, name, name) ? integer_attribute(object, name, name) : std::vector<std::int64_t>{};
    if (!shape.empty()) return "  " + listed(shape);
  }
  return "";
}

// Where a soft or external link points; empty for a hard link.
std::string link_words(hid_t file, const std::string& path) {
  H5L_info_t info{};  // a hard one
  H5Lget_info(file, path.c_str(), &info, H5P_DEFAULT);
  if (info.type == H5L_TYPE_HARD) return "";
  std::vector<char> value(info.u.val_size + 1, '\0');
  if (H5Lget_val(file, path.c_str(), value.data(), info.u.val_size, H5P_DEFAULT) < 0) return "-> ?";
  if (info.type == H5L_TYPE_SOFT) return std::string("-> ") + value.data();
  const char *target_file = nullptr, *target = nullptr;
  unsigned flags = 0;
  if (info.type != H5L_TYPE_EXTERNAL || H5Lunpack_elink_val(value.data(), info.u.val_size, &flags, &target_file, &target) < 0)
    return "-> ?";
  return std::string("-> ") + target_file + ":" + target + " (external)";
}

class Walk {
 public:
  Walk(const Hdf5File& file, const TreeOptions& options) : file_(file), options_(options) {}

  std::vector<std::string> run(const std::string& object) {
    add(object, object.empty() ? "/" : object.substr(object.rfind('/') + 1), 0);
    add_attributes(object);
    return std::move(lines_);
  }

 private:
  void add(const std::string& path, const std::string& name, int depth) {
    if (lines_.size() >= options_.max_lines) {
      if (lines_.size() == options_.max_lines) lines_.push_back("...");
      return;
    }
    const std::string link = link_words(file_.id(), path);
    bool outside = link.ends_with("(external)") && !options_.allow_external;
    const ObjectKind kind = outside ? ObjectKind::none : kind_inside(path, outside);
    if (kind == ObjectKind::dataset) {
      add_dataset(path, name, link, depth);
    } else if (kind == ObjectKind::group) {
      add_group(path, name, link, depth);
    } else {
      line(depth, name, link.empty() ? "(named type)" : link + (outside ? "" : " (leads nowhere)"));
    }
  }

  // none, and `outside` true, when a soft link leads through an external one.
  ObjectKind kind_inside(const std::string& path, bool& outside) const {
    try {
      return file_.kind(path);
    } catch (const Error& error) {
      if (error.code() != "external-reference") throw;
      outside = true;
      return ObjectKind::none;
    }
  }

  void add_dataset(const std::string& path, const std::string& name, const std::string& link, int depth) {
    try {
      const Dataset dataset = open_described(file_, path);
      line(depth, name, joined({link, tag_words(dataset.id.get()), dataset_words(dataset)}));
      if (depth < options_.max_depth) add_fields(dataset, depth + 1);
    } catch (const Error& error) {
      if (error.code() == "corrupt-hdf5") throw;
      line(depth, name, joined({link, std::string("(") + error.what() + ")"}));
    }
  }

  // Those of a table of anndata <= 0.6 are its columns.
  void add_fields(const Dataset& dataset, int depth) {
    for (const auto& [name, type] : compound_members(dataset)) line(depth, name, type.name);
  }

  void add_group(const std::string& path, const std::string& name, const std::string& link, int depth) {
    const ObjectHandle group = file_.open(path);
    H5O_info_t info;
    if (H5Oget_info2(group.get(), &info, H5O_INFO_BASIC) < 0) throw hdf5_failure(path, "tell where the group is");
    const bool seen = !open_groups_.insert({info.fileno, info.addr}).second;
    const std::string tag = tag_words(group.get());
    line(depth, name + (path.empty() ? "" : "/"),
         joined({link, (tag.empty() ? "group" : tag) + shape_words(group.get()), seen ? "(above)" : ""}));
    if (seen) return;
    if (depth < options_.max_depth)
      for (const std::string& child : file_.children(path)) add(join_path(path, child), child, depth + 1);
    open_groups_.erase({info.fileno, info.addr});
  }

  // Those of the object the walk began at, after its line.
  void add_attributes(const std::string& path) {
    bool outside = false;
    if (kind_inside(path, outside) == ObjectKind::none) return;
    std::vector<std::string> texts;
    for (const auto& [name, text] : attribute_texts(file_.open(path).get(), path)) texts.push_back("  @" + name + " = " + text);
    lines_.insert(lines_.begin() + 1, texts.begin(), texts.end());
  }

  static std::string joined(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) text += (text.empty() || part.empty() ? "" : "  ") + part;
    return text;
  }

  void line(int depth, const std::string& name, const std::string& words) {
    std::string text(static_cast<std::size_t>(depth) * 2, ' ');
    text += name;
    text.append(text.size() < 24 ? 24 - text.size() : 1, ' ');
    lines_.push_back(text + words);
  }

  const Hdf5File& file_;
  const TreeOptions& options_;
  std::vector<std::string> lines_;
  std::set<std::pair<unsigned long, haddr_t>> open_groups_;  // from the root to here: a cycle ends
};

std::string normal_path(const std::string& object) {
  std::string path = object.starts_with("/") ? object : "/" + object;
  while (!path.empty() && path.back() == '/') path.pop_back();
  return path;
}

// What there is where `path` was looked for.
std::string alternatives(const Hdf5File& file, const std::string& path) {
  std::string parent = path;
  do parent.resize(parent.rfind('/'));
  while (!parent.empty() && !file.is_group(parent));
  std::string names;
  for (const std::string& name : file.children(parent)) names += (names.empty() ? "" : ", ") + name;
  return (parent.empty() ? "/" : parent) + " has " + (names.empty() ? "nothing" : names.substr(0, 300));
}

// The lines, each ended by a zero byte.
std::string walk(const std::string& path, const std::string& object, const TreeOptions& options) {
  const Hdf5File file(path, options.allow_external);
  const std::string start = normal_path(object);
  if (link_words(file.id(), start).empty() && file.kind(start) == ObjectKind::none)
    throw input_error("missing-object", object, "not in the file: " + alternatives(file, start));
  std::string text;
  for (const std::string& line : Walk(file, options).run(start)) text += line.c_str() + std::string(1, '\0');
  return text;
}

std::vector<std::string> list_directory(const std::string& path, const std::string& object) {
  if (!normal_path(object).empty()) throw input_error("missing-object", object, "a matrix directory holds files, no objects");
  std::vector<std::string> lines;
  if (!std::filesystem::is_directory(path)) return {path};
  for (const auto& entry : std::filesystem::directory_iterator(path)) lines.push_back(entry.path().filename().string());
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace

std::vector<std::string> object_tree(const std::string& path, const std::string& object, const TreeOptions& options) try {
  if (detect_container(path) == Container::mtx) return list_directory(path, object);
  const std::string lines = run_in_probe([&] { return walk(path, object, options); }, probe_limits(std::filesystem::file_size(path)));
  std::vector<std::string> out;
  for (std::size_t at = 0, end = 0; (end = lines.find('\0', at)) != std::string::npos; at = end + 1)
    out.push_back(lines.substr(at, end - at));
  return out;
} catch (Error& error) {
  error.in_file(path);
  throw;
}

}  // namespace quern::io
