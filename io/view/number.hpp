// One stored number without loss, whatever its type; for what is shown or checked value by value.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "io/decode/stored_type.hpp"

namespace quern::io {

enum class NumberKind : std::uint8_t { whole, natural, boolean, real };

union Number {
  std::int64_t whole = 0;  // whole, boolean
  std::uint64_t natural;   // unsigned integers
  double real;
};

// `numpy_type` is the name in StoredArray::type: "bool", "uint16", "float32", an mtx file's "integer" ...
NumberKind number_kind(const std::string& numpy_type);
// n stored numbers; float16 and float32 become double.
void read_numbers(const StoredType& type, const std::byte* in, std::size_t n, Number* out);
Number number_from(NumberKind kind, double value);  // a whole value of a whole kind, as chunk sources give them
double number_as_double(NumberKind kind, Number number);
bool is_within_double(NumberKind kind, Number number);  // false: an integer beyond 2^53
bool is_zero(NumberKind kind, Number number);
void add_to(NumberKind kind, Number& sum, Number number);  // integers wrap, booleans are or-ed, as numpy does
// Integers in decimal, booleans True and False, reals in the shortest text that reads back to the same double.
void append_number(std::string& text, NumberKind kind, Number number);

}  // namespace quern::io
