#include "io/carry/value_encoding.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "io/h5ad_write/element_types.hpp"
#include "io/h5ad_write/write_handles.hpp"

namespace quern::io {
namespace {

template <class T, class V>
void encode_as(const V* values, std::size_t n, std::byte* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

template <class Small, class Short, class Long, class Widest, class V>
void encode_whole(const V* values, std::size_t n, std::size_t bytes, std::byte* out) {
  if (bytes == 1) return encode_as<Small>(values, n, out);
  if (bytes == 2) return encode_as<Short>(values, n, out);
  if (bytes == 4) return encode_as<Long>(values, n, out);
  encode_as<Widest>(values, n, out);
}

template <class V>
void encode(const V* values, std::size_t n, const ElementType& type, std::byte* out) {
  if (type.kind == TypeClass::floating) return type.size == 4 ? encode_as<float>(values, n, out) : encode_as<double>(values, n, out);
  if (type.is_signed || type.kind == TypeClass::boolean)
    return encode_whole<std::int8_t, std::int16_t, std::int32_t, std::int64_t>(values, n, type.size, out);
  encode_whole<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>(values, n, type.size, out);
}

template <class V>
std::size_t find_not_held(const V* values, std::size_t n, const ElementType& type) {
  if (type.kind != TypeClass::integer) return n;
  const int bits = 8 * static_cast<int>(type.size) - (type.is_signed ? 1 : 0);
  const double above = std::ldexp(1.0, bits), least = type.is_signed ? -above : 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double value = values[i];
    if (!(value >= least && value < above && value == std::trunc(value))) return i;
  }
  return n;
}

}  // namespace

void encode_values(const float* values, std::size_t n, const ElementType& type, std::byte* out) { encode(values, n, type, out); }
void encode_values(const double* values, std::size_t n, const ElementType& type, std::byte* out) { encode(values, n, type, out); }
std::size_t first_not_held(const float* values, std::size_t n, const ElementType& type) { return find_not_held(values, n, type); }
std::size_t first_not_held(const double* values, std::size_t n, const ElementType& type) { return find_not_held(values, n, type); }

TypeHandle type_named(const std::string& name) {
  if (name == "bool") return boolean();
  const std::array known{std::pair{"int8", H5T_STD_I8LE},     std::pair{"int16", H5T_STD_I16LE},  std::pair{"int32", H5T_STD_I32LE},
                         std::pair{"int64", H5T_STD_I64LE},   std::pair{"uint8", H5T_STD_U8LE},   std::pair{"uint16", H5T_STD_U16LE},
                         std::pair{"uint32", H5T_STD_U32LE},  std::pair{"uint64", H5T_STD_U64LE}, std::pair{"float32", H5T_IEEE_F32LE},
                         std::pair{"float64", H5T_IEEE_F64LE}};
  for (const auto& [word, type] : known)
    if (name == word) return TypeHandle(made(H5Tcopy(type), name, "copy the type"));
  return {};
}

}  // namespace quern::io
