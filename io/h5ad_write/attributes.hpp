// Attributes as anndata and Cell Ranger write them. `object` is a file, group or dataset; `path` names it in messages.
#pragma once
#include <hdf5.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace quern::io {

void write_attribute(hid_t object, const std::string& path, const std::string& name, const std::string& value);  // scalar UTF-8
void write_attribute(hid_t object, const std::string& path, const std::string& name, std::int64_t value);
void write_attribute(hid_t object, const std::string& path, const std::string& name, std::span<const std::int64_t> values);
// No values at all are written as an empty float64 array, as anndata does for a frame without columns.
void write_attribute(hid_t object, const std::string& path, const std::string& name, const std::vector<std::string>& values);
void write_bool_attribute(hid_t object, const std::string& path, const std::string& name, bool value);

// encoding-type and encoding-version.
void tag_element(hid_t object, const std::string& path, const std::string& type, const std::string& version);

}  // namespace quern::io
