#include "io/view/number.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "io/decode/convert.hpp"
#include "io/tables/field_text.hpp"

namespace quern::io {
namespace {

std::uint64_t load_integer(const StoredType& type, const std::byte* in) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < type.bytes; ++i)
    value = value << 8 | std::to_integer<std::uint64_t>(in[type.big_endian ? i : type.bytes - 1u - i]);
  const int unused = 64 - 8 * type.bytes;
  if (type.kind == StoredKind::signed_integer && unused > 0)
    value = static_cast<std::uint64_t>(static_cast<std::int64_t>(value << unused) >> unused);
  return value;
}

}  // namespace

NumberKind number_kind(const std::string& numpy_type) {
  if (numpy_type == "bool") return NumberKind::boolean;
  if (numpy_type.starts_with("uint")) return NumberKind::natural;
  if (numpy_type.starts_with("int") || numpy_type == "pattern") return NumberKind::whole;
  return NumberKind::real;
}

void read_numbers(const StoredType& type, const std::byte* in, std::size_t n, Number* out) {
  if (type.kind != StoredKind::real) {
    for (std::size_t i = 0; i < n; ++i) out[i].natural = load_integer(type, in + i * type.bytes);
    return;
  }
  std::vector<double> batch(std::min<std::size_t>(n, 4096));
  for (std::size_t first = 0; first < n; first += batch.size()) {
    const std::size_t count = std::min(batch.size(), n - first);
    convert_values(type, in + first * type.bytes, count, ValueType::f64, reinterpret_cast<std::byte*>(batch.data()));
    for (std::size_t i = 0; i < count; ++i) out[first + i].real = batch[i];
  }
}

Number number_from(NumberKind kind, double value) {
  Number number;
  if (kind == NumberKind::real)
    number.real = value;
  else if (kind == NumberKind::natural)
    number.natural = static_cast<std::uint64_t>(value);
  else
    number.whole = static_cast<std::int64_t>(value);
  return number;
}

double number_as_double(NumberKind kind, Number number) {
  if (kind == NumberKind::real) return number.real;
  return kind == NumberKind::natural ? static_cast<double>(number.natural) : static_cast<double>(number.whole);
}

bool is_within_double(NumberKind kind, Number number) {
  constexpr std::int64_t most = std::int64_t{1} << 53;
  if (kind == NumberKind::natural) return number.natural <= static_cast<std::uint64_t>(most);
  return kind != NumberKind::whole || (number.whole <= most && number.whole >= -most);
}

bool is_zero(NumberKind kind, Number number) { return kind == NumberKind::real ? number.real == 0 : number.natural == 0; }

void add_to(NumberKind kind, Number& sum, Number number) {
  if (kind == NumberKind::real)
    sum.real += number.real;
  else if (kind == NumberKind::boolean)
    sum.whole = sum.whole != 0 || number.whole != 0 ? 1 : 0;
  else
    sum.natural += number.natural;
}

void append_number(std::string& text, NumberKind kind, Number number) {
  switch (kind) {
    case NumberKind::real:
      return append_number(text, number.real);
    case NumberKind::boolean:
      text += number.whole != 0 ? "True" : "False";
      return;
    case NumberKind::natural:
      text += std::to_string(number.natural);
      return;
    case NumberKind::whole:
      append_number(text, number.whole);
  }
}

}  // namespace quern::io
