// The numeric types found on disk.
#pragma once
#include <cstdint>
#include <string>

namespace quern::io {

enum class StoredKind : std::uint8_t { signed_integer, unsigned_integer, real };

struct StoredType {
  StoredKind kind = StoredKind::real;
  std::uint8_t bytes = 4;  // 1, 2, 4, 8; reals 2 (IEEE half), 4, 8
  bool big_endian = false;

  bool operator==(const StoredType&) const = default;
};

// numpy's name without byte order: "float32", "uint16" ...
std::string numpy_name(const StoredType& type);

}  // namespace quern::io
