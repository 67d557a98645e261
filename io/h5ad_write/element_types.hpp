// The file types of what we write: little-endian whatever the machine.
#pragma once
#include <hdf5.h>

#include <cstdint>
#include <string>

#include "io/hdf5/handles.hpp"

namespace quern::io {

template <class T>
hid_t file_type() = delete;
template <>
inline hid_t file_type<std::int8_t>() {
  return H5T_STD_I8LE;
}
template <>
inline hid_t file_type<std::int16_t>() {
  return H5T_STD_I16LE;
}
template <>
inline hid_t file_type<std::int32_t>() {
  return H5T_STD_I32LE;
}
template <>
inline hid_t file_type<std::int64_t>() {
  return H5T_STD_I64LE;
}
template <>
inline hid_t file_type<float>() {
  return H5T_IEEE_F32LE;
}
template <>
inline hid_t file_type<double>() {
  return H5T_IEEE_F64LE;
}

TypeHandle variable_string();                    // UTF-8, ended by NUL
TypeHandle fixed_string(std::size_t max_bytes);  // ASCII, padded with NULs; max_bytes 0 is written as 1
TypeHandle boolean();                            // the enum of int8 {FALSE, TRUE} that h5py reads as bool

}  // namespace quern::io
