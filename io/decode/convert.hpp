// From stored numbers to the closed set of types behind the border: 32-bit columns, float or double values.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "host/core/csr_chunk.hpp"
#include "host/core/error.hpp"
#include "io/decode/stored_type.hpp"

namespace quern::io {

// true when stored bytes are already what the slot holds, so that they can be decoded straight into it.
bool is_column_type(const StoredType& type);                  // 4-byte little-endian integers
bool is_value_type(const StoredType& type, ValueType value);  // little-endian float32 or float64

// f32 for what float32 surely or probably holds (see NeedsWiderValues), f64 for float64 and 64-bit integers.
ValueType natural_value_type(const StoredType& type);

// Writes n column numbers. Negative and too large ones become UINT32_MAX, which no check of the range accepts.
void convert_columns(const StoredType& type, const std::byte* in, std::size_t n, std::uint32_t* out);

// Writes n row pointers. Those beyond 2^63 become negative.
void convert_offsets(const StoredType& type, const std::byte* in, std::size_t n, std::int64_t* out);

// Writes n values; throws NeedsWiderValues when `value` is f32 and a stored integer has no exact float32.
// input_error("value-too-large") naming `object` for a 64-bit integer beyond 2^53.
void convert_values(const StoredType& type, const std::byte* in, std::size_t n, ValueType value, std::byte* out,
                    const std::string& object = {});

// input_error("value-too-large"): `what` has no exact double.
Error value_too_large(const std::string& object, const std::string& what);

}  // namespace quern::io
