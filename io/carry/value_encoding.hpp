// Numbers on their way out, in the file's type.
#pragma once
#include <cstddef>
#include <string>

#include "host/core/csr_chunk.hpp"
#include "io/hdf5/types.hpp"

namespace quern::io {

// Writes n values, which the type holds (reals are rounded to it), little-endian. `out` may be where the values are if an element of
// `type` is no larger.
void encode_values(const float* values, std::size_t n, const ElementType& type, std::byte* out);
void encode_values(const double* values, std::size_t n, const ElementType& type, std::byte* out);

// The first of n values that is no number of the integer type `type`; n when all are. What is not an integer type holds everything.
std::size_t first_not_held(const float* values, std::size_t n, const ElementType& type);
std::size_t first_not_held(const double* values, std::size_t n, const ElementType& type);

// The file's type of numpy's name: "bool", "int8" .. "uint64", "float32", "float64"; little-endian. An invalid handle for any other.
TypeHandle type_named(const std::string& name);

}  // namespace quern::io
