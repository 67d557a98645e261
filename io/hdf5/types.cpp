#include "io/hdf5/types.hpp"

#include <cstring>

namespace quern::io {
namespace {

bool member_is(hid_t type, unsigned index, const char* name, signed char value) {
  signed char stored = 0;
  if (H5Tget_member_value(type, index, &stored) < 0) throw hdf5_failure("", "read a value of a type");
  char* stored_name = H5Tget_member_name(type, index);
  if (stored_name == nullptr) throw hdf5_failure("", "read a name of a type");
  const bool same = std::strcmp(stored_name, name) == 0 && stored == value;
  H5free_memory(stored_name);
  return same;
}

bool is_bool(hid_t type, std::size_t size) {
  const int n_members = H5Tget_nmembers(type);
  if (n_members < 0) throw hdf5_failure("", "count the values of a type");
  return size == 1 && n_members == 2 && member_is(type, 0, "FALSE", 0) && member_is(type, 1, "TRUE", 1);
}

void describe_integer(hid_t type, ElementType& out) {
  const H5T_sign_t sign = H5Tget_sign(type);
  if (sign == H5T_SGN_ERROR) throw hdf5_failure("", "read a type of integers");
  out.kind = TypeClass::integer;
  out.is_signed = sign == H5T_SGN_2;
  out.name = (out.is_signed ? "int" : "uint") + std::to_string(out.size * 8);
  out.big_endian = out.size > 1 && H5Tget_order(type) == H5T_ORDER_BE;
}

void describe_enumeration(hid_t type, ElementType& out) {
  if (is_bool(type, out.size)) {
    out.kind = TypeClass::boolean;
    out.name = "bool";
    return;
  }
  const TypeHandle base(H5Tget_super(type));
  if (base) describe_integer(base.get(), out);
}

void describe_compound(hid_t type, ElementType& out) {
  out.kind = TypeClass::compound;
  const bool complex = H5Tget_nmembers(type) == 2 && H5Tget_member_index(type, "r") == 0 && H5Tget_member_index(type, "i") == 1;
  out.name = complex ? "complex" + std::to_string(out.size * 8) : "compound";
}

}  // namespace

bool is_variable_text(hid_t type) {
  const htri_t is_variable = H5Tis_variable_str(type);
  if (is_variable < 0) throw hdf5_failure("", "read a type of text");
  return is_variable > 0;
}

ElementType element_type(hid_t type) {
  ElementType out;
  out.size = H5Tget_size(type);
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      describe_integer(type, out);
      break;
    case H5T_FLOAT:
      out.kind = TypeClass::floating;
      out.is_signed = true;
      out.name = "float" + std::to_string(out.size * 8);
      out.big_endian = H5Tget_order(type) == H5T_ORDER_BE;
      break;
    case H5T_ENUM:
      describe_enumeration(type, out);
      break;
    case H5T_STRING:
      out.kind = TypeClass::string;
      out.name = "string";
      out.variable_length = is_variable_text(type);
      break;
    case H5T_COMPOUND:
      describe_compound(type, out);
      break;
    case H5T_REFERENCE:
      out.kind = TypeClass::reference;
      out.name = "reference";
      break;
    default:
      out.name = "other";
      break;
  }
  return out;
}

}  // namespace quern::io
