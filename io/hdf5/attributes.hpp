// Attributes of an open object. Absent is empty; of the wrong class is input_error("bad-type"). `where` names the object in messages.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/hdf5/handles.hpp"

namespace quern::io {

bool has_attribute(hid_t object, const char* name, const std::string& where);
// One string of either storage (fixed or variable length), scalar or a list of one. Not a string: empty.
std::optional<std::string> string_attribute(hid_t object, const char* name, const std::string& where);
// A list of strings; an empty list may be of any type (anndata writes it as float64).
std::vector<std::string> string_list_attribute(hid_t object, const char* name, const std::string& where);
std::vector<std::int64_t> integer_attribute(hid_t object, const char* name, const std::string& where);
// All attributes in byte order as (name, text): strings, numbers and flags by value (20 of a list), others by type.
std::vector<std::pair<std::string, std::string>> attribute_texts(hid_t object, const std::string& where);
bool flag_attribute(hid_t object, const char* name);  // false when absent
// The object reference that 0.7 keeps in `categories`.
std::optional<hobj_ref_t> reference_attribute(hid_t object, const char* name, const std::string& where);

}  // namespace quern::io
