// What every decoder says of a stored chunk that is no good.
#pragma once
#include <string>

#include "host/core/error.hpp"

namespace quern::io {

inline Error corrupt_chunk(const std::string& object, const std::string& found) {
  return input_error("corrupt-chunk", object, found, "the file is damaged: copy or download it again");
}

}  // namespace quern::io
