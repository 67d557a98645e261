#include "io/decode/stored_type.hpp"

namespace quern::io {

std::string numpy_name(const StoredType& type) {
  const std::string bits = std::to_string(8 * type.bytes);
  if (type.kind == StoredKind::real) return "float" + bits;
  return (type.kind == StoredKind::signed_integer ? "int" : "uint") + bits;
}

}  // namespace quern::io
