#include "io/hdf5/attributes.hpp"

#include <algorithm>
#include <array>

#include "io/hdf5/strings.hpp"
#include "io/hdf5/types.hpp"
#include "io/names/number_text.hpp"

namespace quern::io {
namespace {

constexpr std::size_t max_attribute_bytes = std::size_t{1} << 28;

struct OpenAttribute {
  AttributeHandle attribute;
  TypeHandle type;
  ElementType element;
  std::size_t count = 0;
};

std::string in_words(const std::string& where, const char* name) { return where + " (attribute " + name + ")"; }

std::optional<OpenAttribute> open_attribute(hid_t object, const char* name, const std::string& where) {
  if (!has_attribute(object, name, where)) return std::nullopt;
  const std::string what = in_words(where, name);
  OpenAttribute out;
  out.attribute = AttributeHandle(checked(H5Aopen(object, name, H5P_DEFAULT), what, "open the attribute"));
  out.type = TypeHandle(checked(H5Aget_type(out.attribute.get()), what, "read the attribute's type"));
  out.element = element_type(out.type.get());
  const SpaceHandle space(checked(H5Aget_space(out.attribute.get()), what, "read the attribute's shape"));
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  if (points < 0) throw hdf5_failure(what, "count the attribute's values");
  out.count = static_cast<std::size_t>(points);
  // HDF5 1.10.8 opens an attribute of 2^61 numbers of 8 bytes, whose size wraps to what is stored.
  if (out.count > max_attribute_bytes / std::max<std::size_t>(1, out.element.size))
    throw input_error("bad-shape", what, "the attribute claims " + std::to_string(out.count) + " elements");
  return out;
}

void read_attribute(const OpenAttribute& from, hid_t memory_type, void* to, const std::string& what) {
  if (H5Aread(from.attribute.get(), memory_type, to) < 0)
    throw input_error("corrupt-hdf5", what, "HDF5 could not read the attribute", "check the file with `quern check`");
}

std::vector<std::string> read_strings(const OpenAttribute& from, const std::string& what) {
  return read_all_strings(
      from.type.get(), from.count, [&](hid_t memory_type, void* to) { read_attribute(from, memory_type, to, what); }, from.attribute.get());
}

}  // namespace

bool has_attribute(hid_t object, const char* name, const std::string& where) {
  const htri_t found = H5Aexists(object, name);
  if (found < 0) throw hdf5_failure(in_words(where, name), "look for it");
  return found > 0;
}

std::optional<std::string> string_attribute(hid_t object, const char* name, const std::string& where) {
  const auto found = open_attribute(object, name, where);
  if (!found || found->element.kind != TypeClass::string || found->count != 1) return std::nullopt;
  return read_strings(*found, in_words(where, name)).front();
}

std::vector<std::string> string_list_attribute(hid_t object, const char* name, const std::string& where) {
  const auto found = open_attribute(object, name, where);
  if (!found || found->count == 0) return {};
  if (found->element.kind != TypeClass::string)
    throw input_error("bad-type", in_words(where, name), "expected strings, found " + found->element.name);
  return read_strings(*found, in_words(where, name));
}

namespace {

herr_t collect_attribute(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

std::vector<std::string> value_texts(const OpenAttribute& from, const std::string& what) {
  const TypeClass kind = from.element.kind;
  std::vector<std::string> texts;
  if (kind == TypeClass::string) return read_strings(from, what);
  if (kind == TypeClass::integer) {
    std::vector<std::int64_t> values(from.count);
    read_attribute(from, H5T_NATIVE_INT64, values.data(), what);
    for (const std::int64_t value : values) texts.push_back(std::to_string(value));
  } else if (kind == TypeClass::floating) {
    std::vector<double> values(from.count);
    read_attribute(from, H5T_NATIVE_DOUBLE, values.data(), what);
    for (const double value : values) texts.push_back(python_repr(value));
  } else if (kind == TypeClass::boolean) {
    std::vector<signed char> values(from.count);
    read_attribute(from, from.type.get(), values.data(), what);
    for (const signed char value : values) texts.emplace_back(value != 0 ? "True" : "False");
  } else {
    texts.push_back("(" + from.element.name + ")");
  }
  return texts;
}

std::string in_brackets(const std::vector<std::string>& texts, bool is_list) {
  constexpr std::size_t most_shown = 20;
  std::string text;
  for (std::size_t i = 0; i < texts.size() && i < most_shown; ++i) text += (text.empty() ? "" : ", ") + texts[i];
  if (texts.size() > most_shown) text += ", ... (" + std::to_string(texts.size()) + ")";
  return is_list ? "[" + text + "]" : text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> attribute_texts(hid_t object, const std::string& where) {
  std::vector<std::string> names;
  hsize_t next = 0;
  if (H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &next, collect_attribute, &names) < 0)
    throw input_error("corrupt-hdf5", where, "HDF5 could not list the attributes", "check the file with `quern check`");
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& name : names) {
    const auto found = open_attribute(object, name.c_str(), where);
    const SpaceHandle space(found ? H5Aget_space(found->attribute.get()) : H5I_INVALID_HID);
    const bool is_list = space && H5Sget_simple_extent_ndims(space.get()) > 0;
    if (found) out.emplace_back(name, found->count == 0 ? "[]" : in_brackets(value_texts(*found, in_words(where, name.c_str())), is_list));
  }
  return out;
}

std::vector<std::int64_t> integer_attribute(hid_t object, const char* name, const std::string& where) {
  const auto found = open_attribute(object, name, where);
  if (!found) return {};
  const std::string what = in_words(where, name);
  if (found->element.kind != TypeClass::integer) throw input_error("bad-type", what, "expected integers, found " + found->element.name);
  std::vector<std::int64_t> values(found->count);
  if (!values.empty()) read_attribute(*found, H5T_NATIVE_INT64, values.data(), what);
  return values;
}

bool flag_attribute(hid_t object, const char* name) {
  const auto found = open_attribute(object, name, name);
  std::array<unsigned char, 16> bytes{};
  if (!found || found->count != 1 || found->element.size > bytes.size() || !found->element.is_number()) return false;
  read_attribute(*found, found->type.get(), bytes.data(), name);
  return std::any_of(bytes.begin(), bytes.end(), [](unsigned char byte) { return byte != 0; });
}

std::optional<hobj_ref_t> reference_attribute(hid_t object, const char* name, const std::string& where) {
  const auto found = open_attribute(object, name, where);
  if (!found) return std::nullopt;
  const std::string what = in_words(where, name);
  if (H5Tequal(found->type.get(), H5T_STD_REF_OBJ) <= 0 || found->count != 1)
    throw input_error("bad-type", what, "expected an object reference, found " + found->element.name);
  hobj_ref_t reference = 0;
  read_attribute(*found, H5T_STD_REF_OBJ, &reference, what);
  return reference;
}

}  // namespace quern::io
