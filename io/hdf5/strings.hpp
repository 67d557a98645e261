// Strings of either HDF5 storage, as UTF-8.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/hdf5/handles.hpp"

namespace quern::io {

// Memory for one read of variable-length strings; everything goes at once. Refuses more than `limit_bytes`, which makes HDF5 fail the read.
class StringArena {
 public:
  explicit StringArena(std::size_t limit_bytes) : left_(limit_bytes) {}
  bool refused() const { return refused_; }
  PropertyHandle transfer();  // a data transfer list that allocates here; the arena must outlive its use
 private:
  static void* allocate(size_t bytes, void* arena);
  static void release(void*, void*) {}
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  std::size_t room_ = 0, left_;
  bool refused_ = false;
};

// The type to read strings of `stored` into: variable-length UTF-8 pointers, or fixed-length bytes as they are.
TypeHandle string_memory_type(hid_t stored);
// Text of one element in that memory type: cut at its padding, invalid UTF-8 replaced by U+FFFD. A null pointer is empty.
std::string variable_text(const char* value);
std::string fixed_text(const char* value, std::size_t size, H5T_str_t padding);

// All strings of an attribute with `count` elements of type `stored`; `read` fills memory of the given type.
std::vector<std::string> read_all_strings(hid_t stored, std::size_t count, const std::function<void(hid_t, void*)>& read, hid_t owner);

}  // namespace quern::io
