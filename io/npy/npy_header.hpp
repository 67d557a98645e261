// What stands before the numbers of a NumPy file (.npy): versions 1.0 to 3.0 of the format.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/core/csr_chunk.hpp"

namespace quern::io {

struct NpyHeader {
  ValueType type = ValueType::f64;
  bool big_endian = false;
  bool fortran_order = false;       // the first dimension varies fastest
  std::vector<std::int64_t> shape;  // any number of dimensions; the product of all, times the size of a value, fits std::int64_t
  std::size_t data_offset = 0;      // bytes of the file before the first value
  std::int64_t n_values() const;
  std::int64_t data_bytes() const { return n_values() * static_cast<std::int64_t>(size_of(type)); }
};

constexpr std::size_t npy_prefix_bytes = 12;                          // enough to know how long the header is
constexpr std::size_t most_npy_header_bytes = std::size_t{64} << 10;  // longer ones are not read

// Bytes before the first value, from the first npy_prefix_bytes of a file (or all of a shorter one). Throws input_error: "bad-npy" for what
// is no .npy, is of another version or has an impossible header length.
std::size_t npy_data_offset(std::span<const std::byte> prefix);
// `head`: everything before the first value. Throws input_error: "bad-npy" for a header that cannot be read or a size beyond all files,
// "bad-type" for values that are neither float32 nor float64 (objects, records, integers, complex numbers ...).
NpyHeader parse_npy_header(std::span<const std::byte> head);

// The head of a file of version 1.0 as NumPy writes it: little-endian, C order, a multiple of 64 bytes long.
std::string npy_head(ValueType type, std::span<const std::int64_t> shape);

}  // namespace quern::io
