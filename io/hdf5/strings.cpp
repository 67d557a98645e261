#include "io/hdf5/strings.hpp"

#include <algorithm>
#include <cstring>

#include "io/hdf5/types.hpp"
#include "io/names/utf8.hpp"

namespace quern::io {

PropertyHandle StringArena::transfer() {
  PropertyHandle list(checked(H5Pcreate(H5P_DATASET_XFER), "", "prepare a transfer"));
  H5Pset_vlen_mem_manager(list.get(), allocate, this, release, this);
  return list;
}

void* StringArena::allocate(size_t bytes, void* arena) {
  constexpr std::size_t block_bytes = std::size_t{1} << 16;
  auto& self = *static_cast<StringArena*>(arena);
  if (bytes > self.room_) {
    const std::size_t size = std::max(bytes, block_bytes);
    self.refused_ = self.refused_ || size > self.left_;
    if (self.refused_) return nullptr;
    self.left_ -= size;
    self.blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    self.next_ = self.blocks_.back().get();
    self.room_ = size;
  }
  char* given = self.next_;
  self.next_ += bytes;
  self.room_ -= bytes;
  return given;
}

TypeHandle string_memory_type(hid_t stored) { return TypeHandle(checked(H5Tcopy(stored), "", "copy a string type")); }

std::string variable_text(const char* value) { return value == nullptr ? std::string() : lenient_utf8({value, std::strlen(value)}); }

std::string fixed_text(const char* value, std::size_t size, H5T_str_t padding) {
  if (padding == H5T_STR_NULLTERM) size = strnlen(value, size);
  while (size > 0 && (value[size - 1] == '\0' || (padding == H5T_STR_SPACEPAD && value[size - 1] == ' '))) --size;
  return lenient_utf8({value, size});
}

std::vector<std::string> read_all_strings(hid_t stored, std::size_t count, const std::function<void(hid_t, void*)>& read, hid_t owner) {
  std::vector<std::string> out;
  out.reserve(count);
  const TypeHandle memory = string_memory_type(stored);
  if (is_variable_text(stored)) {
    std::vector<char*> pointers(count, nullptr);
    read(memory.get(), pointers.data());
    for (const char* value : pointers) out.push_back(variable_text(value));
    const SpaceHandle space(H5Aget_space(owner));
    H5Dvlen_reclaim(memory.get(), space.get(), H5P_DEFAULT, pointers.data());
    return out;
  }
  const std::size_t size = H5Tget_size(stored);
  std::vector<char> bytes(count * size);
  read(memory.get(), bytes.data());
  for (std::size_t i = 0; i < count; ++i) out.push_back(fixed_text(bytes.data() + i * size, size, H5Tget_strpad(stored)));
  return out;
}

}  // namespace quern::io
