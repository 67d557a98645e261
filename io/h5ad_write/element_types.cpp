#include "io/h5ad_write/element_types.hpp"

#include <algorithm>

#include "io/h5ad_write/write_handles.hpp"

namespace quern::io {
namespace {

TypeHandle string_type(std::size_t size, H5T_str_t padding, H5T_cset_t characters) {
  TypeHandle type(made(H5Tcopy(H5T_C_S1), "string type", "make it"));
  done(H5Tset_size(type.get(), size), "string type", "size it");
  done(H5Tset_strpad(type.get(), padding), "string type", "pad it");
  done(H5Tset_cset(type.get(), characters), "string type", "name its character set");
  return type;
}

}  // namespace

TypeHandle variable_string() { return string_type(H5T_VARIABLE, H5T_STR_NULLTERM, H5T_CSET_UTF8); }

TypeHandle fixed_string(std::size_t max_bytes) { return string_type(std::max<std::size_t>(max_bytes, 1), H5T_STR_NULLPAD, H5T_CSET_ASCII); }

TypeHandle boolean() {
  TypeHandle type(made(H5Tenum_create(H5T_STD_I8LE), "bool type", "make it"));
  const std::int8_t no = 0, yes = 1;
  done(H5Tenum_insert(type.get(), "FALSE", &no), "bool type", "add FALSE");
  done(H5Tenum_insert(type.get(), "TRUE", &yes), "bool type", "add TRUE");
  return type;
}

}  // namespace quern::io
