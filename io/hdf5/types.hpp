// What a stored type is, in numpy's words.
#pragma once
#include <cstddef>
#include <string>

#include "io/hdf5/handles.hpp"

namespace quern::io {

enum class TypeClass { integer, floating, boolean, string, compound, reference, other };

struct ElementType {
  TypeClass kind = TypeClass::other;
  std::string name;  // "float32", "uint16", "bool", "string", "complex64", "compound" ...
  std::size_t size = 0;
  bool is_signed = false, big_endian = false;
  bool variable_length = false;  // strings

  bool is_number() const { return kind == TypeClass::integer || kind == TypeClass::floating || kind == TypeClass::boolean; }
};

// Booleans are what h5py takes for them: an enumeration of FALSE = 0 and TRUE = 1 over one byte. Other enumerations count as integers.
ElementType element_type(hid_t type);

bool is_variable_text(hid_t type);

}  // namespace quern::io
