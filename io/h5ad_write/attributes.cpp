#include "io/h5ad_write/attributes.hpp"

#include "io/h5ad_write/element_types.hpp"
#include "io/h5ad_write/write_handles.hpp"

namespace quern::io {
namespace {

void put(hid_t object, const std::string& path, const std::string& name, hid_t type, hid_t space, const void* value) {
  const std::string where = path + "@" + name;
  OutputAttribute attribute(made(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), where, "create the attribute"),
                            where);
  if (value) done(H5Awrite(attribute.get(), type, value), where, "write the attribute");
  attribute.close();
}

SpaceHandle scalar_space() { return SpaceHandle(made(H5Screate(H5S_SCALAR), "attribute", "make its space")); }

SpaceHandle line_space(std::size_t length) {
  const hsize_t size = length;
  return SpaceHandle(made(H5Screate_simple(1, &size, nullptr), "attribute", "make its space"));
}

}  // namespace

void write_attribute(hid_t object, const std::string& path, const std::string& name, const std::string& value) {
  const char* text = value.c_str();
  put(object, path, name, variable_string().get(), scalar_space().get(), &text);
}

void write_attribute(hid_t object, const std::string& path, const std::string& name, std::int64_t value) {
  put(object, path, name, file_type<std::int64_t>(), scalar_space().get(), &value);
}

void write_attribute(hid_t object, const std::string& path, const std::string& name, std::span<const std::int64_t> values) {
  put(object, path, name, file_type<std::int64_t>(), line_space(values.size()).get(), values.empty() ? nullptr : values.data());
}

void write_attribute(hid_t object, const std::string& path, const std::string& name, const std::vector<std::string>& values) {
  if (values.empty()) return put(object, path, name, file_type<double>(), line_space(0).get(), nullptr);
  std::vector<const char*> texts;
  texts.reserve(values.size());
  for (const std::string& value : values) texts.push_back(value.c_str());
  put(object, path, name, variable_string().get(), line_space(values.size()).get(), texts.data());
}

void write_bool_attribute(hid_t object, const std::string& path, const std::string& name, bool value) {
  const std::int8_t stored = value ? 1 : 0;
  put(object, path, name, boolean().get(), scalar_space().get(), &stored);
}

void tag_element(hid_t object, const std::string& path, const std::string& type, const std::string& version) {
  write_attribute(object, path, "encoding-type", type);
  write_attribute(object, path, "encoding-version", version);
}

}  // namespace quern::io
