// Elements of anndata >= 0.8 as its own writer makes them: tagged arrays, string arrays, categoricals, frames.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/h5ad_write/attributes.hpp"
#include "io/h5ad_write/element_types.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/h5ad_write/text_dataset.hpp"

namespace quern::io {

// A contiguous one-dimensional dataset. `type` is both the memory's and the file's.
OutputDataset make_array(hid_t parent, const std::string& parent_path, const std::string& name, hid_t type, std::int64_t length);
// Writes elements first .. first + count of a dataset of make_array.
void write_range(const OutputDataset& dataset, hid_t type, std::int64_t first, std::int64_t count, const void* values);

// A whole plain array, untagged (10x files, old anndata).
template <class T>
void write_plain_array(const OutputGroup& group, const std::string& name, std::span<const T> values) {
  OutputDataset dataset = make_array(group.get(), group.object(), name, file_type<T>(), static_cast<std::int64_t>(values.size()));
  if (!values.empty()) write_range(dataset, file_type<T>(), 0, static_cast<std::int64_t>(values.size()), values.data());
  dataset.close();
}
// The same of fixed-length strings, as long as the longest.
void write_fixed_texts(const OutputGroup& group, const std::string& name, std::span<const std::string> texts);

// A tagged array, a tagged string array.
template <class T>
void write_array(const OutputGroup& group, const std::string& name, std::span<const T> values) {
  OutputDataset dataset = make_array(group.get(), group.object(), name, file_type<T>(), static_cast<std::int64_t>(values.size()));
  tag_element(dataset.get(), dataset.object(), "array", "0.2.0");
  if (!values.empty()) write_range(dataset, file_type<T>(), 0, static_cast<std::int64_t>(values.size()), values.data());
  dataset.close();
}
void write_texts(const OutputGroup& group, const std::string& name, std::span<const std::string> texts);

// A tagged string array to append to; finish() it.
TextDataset make_texts(const OutputGroup& group, const std::string& name, std::int64_t length);

// A categorical's group with its categories; the codes are the caller's to write, in a dataset "codes" tagged "array".
OutputGroup make_categorical(const OutputGroup& frame, const std::string& name, std::span<const std::string> categories, bool ordered);

// A frame's group; `index` names the child that holds the index.
OutputGroup make_frame(const OutputFile& file, const std::string& name, const std::string& index, const std::vector<std::string>& columns);
OutputGroup make_frame(const OutputGroup& parent, const std::string& name, const std::string& index,
                       const std::vector<std::string>& columns);

void write_empty_dict(const OutputFile& file, const std::string& name);

}  // namespace quern::io
