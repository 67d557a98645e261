#include "io/h5ad_write/text_dataset.hpp"

#include "host/core/error.hpp"
#include "io/h5ad_write/element_types.hpp"

namespace quern::io {
namespace {

OutputDataset create(hid_t parent, const std::string& path, const std::string& name, std::int64_t length) {
  const auto size = static_cast<hsize_t>(length);
  const SpaceHandle space(made(H5Screate_simple(1, &size, nullptr), path, "make its space"));
  const PropertyHandle creation = dataset_properties();
  const TypeHandle type = variable_string();
  const hid_t id = H5Dcreate2(parent, name.c_str(), type.get(), space.get(), H5P_DEFAULT, creation.get(), H5P_DEFAULT);
  return {made(id, path, "create the dataset"), path};
}

}  // namespace

TextDataset::TextDataset(hid_t parent, const std::string& parent_path, const std::string& name, std::int64_t length)
    : length_(length), dataset_(create(parent, object_path(parent_path, name), name, length)) {}

void TextDataset::append(std::span<const std::string> texts) {
  if (texts.empty()) return;
  pointers_.clear();
  for (const std::string& text : texts) pointers_.push_back(text.c_str());
  const auto start = static_cast<hsize_t>(written_), count = static_cast<hsize_t>(texts.size());
  const SpaceHandle file_space(made(H5Dget_space(dataset_.get()), path(), "get its space"));
  done(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr), path(), "select a range of it");
  const SpaceHandle memory_space(made(H5Screate_simple(1, &count, nullptr), path(), "make a space"));
  done(H5Dwrite(dataset_.get(), variable_string().get(), memory_space.get(), file_space.get(), H5P_DEFAULT, pointers_.data()), path(),
       "write strings");
  written_ += static_cast<std::int64_t>(texts.size());
}

void TextDataset::finish() {
  if (written_ != length_) throw Error(ErrorKind::internal, "wrong-length", path(), "the number of strings is not the dataset's length");
  dataset_.close();
}

}  // namespace quern::io
