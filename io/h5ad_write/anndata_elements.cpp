#include "io/h5ad_write/anndata_elements.hpp"

#include <algorithm>
#include <cstring>

namespace quern::io {
namespace {

OutputGroup tagged_frame(OutputGroup frame, const std::string& index, const std::vector<std::string>& columns) {
  tag_element(frame.get(), frame.object(), "dataframe", "0.2.0");
  write_attribute(frame.get(), frame.object(), "_index", index);
  write_attribute(frame.get(), frame.object(), "column-order", columns);
  return frame;
}

}  // namespace

OutputDataset make_array(hid_t parent, const std::string& parent_path, const std::string& name, hid_t type, std::int64_t length) {
  const std::string path = object_path(parent_path, name);
  const auto size = static_cast<hsize_t>(length);
  const SpaceHandle space(made(H5Screate_simple(1, &size, nullptr), path, "make its space"));
  const PropertyHandle creation = dataset_properties();
  const hid_t id = H5Dcreate2(parent, name.c_str(), type, space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT);
  return {made(id, path, "create the dataset"), path};
}

void write_range(const OutputDataset& dataset, hid_t type, std::int64_t first, std::int64_t count, const void* values) {
  const auto start = static_cast<hsize_t>(first), size = static_cast<hsize_t>(count);
  const SpaceHandle file_space(made(H5Dget_space(dataset.get()), dataset.object(), "get its space"));
  done(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, &start, nullptr, &size, nullptr), dataset.object(), "select a range of it");
  const SpaceHandle memory_space(made(H5Screate_simple(1, &size, nullptr), dataset.object(), "make a space"));
  done(H5Dwrite(dataset.get(), type, memory_space.get(), file_space.get(), H5P_DEFAULT, values), dataset.object(), "write values");
}

void write_fixed_texts(const OutputGroup& group, const std::string& name, std::span<const std::string> texts) {
  std::size_t width = 1;
  for (const std::string& text : texts) width = std::max(width, text.size());
  std::vector<char> packed(texts.size() * width, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i) std::memcpy(packed.data() + i * width, texts[i].data(), texts[i].size());
  const TypeHandle type = fixed_string(width);
  OutputDataset dataset = make_array(group.get(), group.object(), name, type.get(), static_cast<std::int64_t>(texts.size()));
  if (!texts.empty()) write_range(dataset, type.get(), 0, static_cast<std::int64_t>(texts.size()), packed.data());
  dataset.close();
}

TextDataset make_texts(const OutputGroup& group, const std::string& name, std::int64_t length) {
  TextDataset dataset(group.get(), group.object(), name, length);
  tag_element(dataset.id(), dataset.path(), "string-array", "0.2.0");
  return dataset;
}

void write_texts(const OutputGroup& group, const std::string& name, std::span<const std::string> texts) {
  TextDataset dataset = make_texts(group, name, static_cast<std::int64_t>(texts.size()));
  dataset.append(texts);
  dataset.finish();
}

OutputGroup make_categorical(const OutputGroup& frame, const std::string& name, std::span<const std::string> categories, bool ordered) {
  OutputGroup group = make_group(frame, name);
  tag_element(group.get(), group.object(), "categorical", "0.2.0");
  write_bool_attribute(group.get(), group.object(), "ordered", ordered);
  write_texts(group, "categories", categories);
  return group;
}

OutputGroup make_frame(const OutputFile& file, const std::string& name, const std::string& index, const std::vector<std::string>& columns) {
  return tagged_frame(make_group(file, name), index, columns);
}
OutputGroup make_frame(const OutputGroup& parent, const std::string& name, const std::string& index,
                       const std::vector<std::string>& columns) {
  constexpr std::size_t most_in_short_attribute = 4000;  // a string takes 16 of 65,535 bytes
  return tagged_frame(make_group(parent.get(), parent.object(), name, columns.size() > most_in_short_attribute), index, columns);
}

void write_empty_dict(const OutputFile& file, const std::string& name) {
  OutputGroup group = make_group(file, name);
  tag_element(group.get(), group.object(), "dict", "0.1.0");
  group.close();
}

}  // namespace quern::io
