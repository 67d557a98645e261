#include "io/decode/convert.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "host/core/chunk_source.hpp"
#include "host/core/error.hpp"

namespace quern::io {
namespace {

template <class T>
T load(const std::byte* in, bool swap) {
  std::byte raw[sizeof(T)];
  std::memcpy(raw, in, sizeof(T));
  if (swap) std::reverse(raw, raw + sizeof(T));
  T value;
  std::memcpy(&value, raw, sizeof(T));
  return value;
}

// Calls f(T{}) with the C++ type of a stored integer.
template <class F>
void with_integer(const StoredType& type, F&& f) {
  const bool is_signed = type.kind == StoredKind::signed_integer;
  switch (type.bytes) {
    case 1:
      return is_signed ? f(std::int8_t{}) : f(std::uint8_t{});
    case 2:
      return is_signed ? f(std::int16_t{}) : f(std::uint16_t{});
    case 4:
      return is_signed ? f(std::int32_t{}) : f(std::uint32_t{});
    default:
      return is_signed ? f(std::int64_t{}) : f(std::uint64_t{});
  }
}

template <class T>
void columns_from(const std::byte* in, std::size_t n, bool swap, std::uint32_t* out) {
  constexpr auto bad = std::numeric_limits<std::uint32_t>::max();
  for (std::size_t i = 0; i < n; ++i) {
    const T raw = load<T>(in + i * sizeof(T), swap);
    if constexpr (sizeof(T) == 8)
      out[i] = static_cast<std::uint64_t>(raw) >= bad ? bad : static_cast<std::uint32_t>(raw);
    else if constexpr (std::is_signed_v<T>)
      out[i] = raw < 0 ? bad : static_cast<std::uint32_t>(raw);
    else
      out[i] = raw;
  }
}

// Below it every integer has an exact float or double.
template <class V>
constexpr std::uint64_t largest_exact = std::uint64_t{1} << (sizeof(V) == 4 ? 24 : 53);

template <class T>
std::uint64_t magnitude_of(T number) {
  const auto bits = static_cast<std::uint64_t>(number);
  return number < 0 ? 0 - bits : bits;
}

// Integers of up to 24 bits always fit float32; wider ones are checked.
template <class T, class V>
void integers_from(const std::byte* in, std::size_t n, bool swap, V* out, const std::string& object) {
  bool inexact = false;
  for (std::size_t i = 0; i < n; ++i) {
    const T raw = load<T>(in + i * sizeof(T), swap);
    const V value = static_cast<V>(raw);
    out[i] = value;
    if constexpr (std::is_same_v<V, float> && sizeof(T) == 4) inexact |= static_cast<double>(value) != static_cast<double>(raw);
    if constexpr (sizeof(T) == 8) inexact |= magnitude_of(raw) > largest_exact<V>;
  }
  if (!inexact) return;
  if constexpr (std::is_same_v<V, float>) throw NeedsWiderValues();
  throw value_too_large(object, "a 64-bit integer");
}

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  float magnitude = 0;
  if (exponent == 31)
    magnitude = mantissa ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<float>(mantissa), -24);
  else
    magnitude = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  return (half & 0x8000) ? -magnitude : magnitude;
}

template <class V>
void reals_from(const StoredType& type, const std::byte* in, std::size_t n, V* out) {
  for (std::size_t i = 0; i < n; ++i) {
    switch (type.bytes) {
      case 2:
        out[i] = static_cast<V>(half_to_float(load<std::uint16_t>(in + 2 * i, type.big_endian)));
        break;
      case 4:
        out[i] = static_cast<V>(load<float>(in + 4 * i, type.big_endian));
        break;
      default:
        out[i] = static_cast<V>(load<double>(in + 8 * i, type.big_endian));
        break;
    }
  }
}

template <class V>
void values_from(const StoredType& type, const std::byte* in, std::size_t n, V* out, const std::string& object) {
  if (type.kind == StoredKind::real) return reals_from(type, in, n, out);
  with_integer(type, [&](auto tag) { integers_from<decltype(tag)>(in, n, type.big_endian, out, object); });
}

}  // namespace

Error value_too_large(const std::string& object, const std::string& what) {
  return input_error("value-too-large", object, what + " is beyond 2^53 and has no exact double, which all values become",
                     "such numbers are no counts; is it the matrix that you meant?");
}

bool is_column_type(const StoredType& type) { return type.kind != StoredKind::real && type.bytes == 4 && !type.big_endian; }
bool is_value_type(const StoredType& type, ValueType value) {
  return type.kind == StoredKind::real && !type.big_endian && type.bytes == size_of(value);
}
ValueType natural_value_type(const StoredType& type) { return type.bytes == 8 ? ValueType::f64 : ValueType::f32; }

void convert_columns(const StoredType& type, const std::byte* in, std::size_t n, std::uint32_t* out) {
  with_integer(type, [&](auto tag) { columns_from<decltype(tag)>(in, n, type.big_endian, out); });
}

void convert_offsets(const StoredType& type, const std::byte* in, std::size_t n, std::int64_t* out) {
  with_integer(type, [&](auto tag) {
    using T = decltype(tag);
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::int64_t>(load<T>(in + i * sizeof(T), type.big_endian));
  });
}

void convert_values(const StoredType& type, const std::byte* in, std::size_t n, ValueType value, std::byte* out,
                    const std::string& object) {
  if (value == ValueType::f32)
    values_from(type, in, n, reinterpret_cast<float*>(out), object);
  else
    values_from(type, in, n, reinterpret_cast<double*>(out), object);
}

}  // namespace quern::io
