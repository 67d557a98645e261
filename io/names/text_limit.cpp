#include "io/names/text_limit.hpp"

#include "host/core/error.hpp"

namespace quern::io {

void throw_text_too_long(const std::string& object, std::size_t n_strings) {
  throw resource_error("text-too-long", object,
                       (n_strings > 1 ? std::to_string(n_strings) + " strings" : std::string("a string")) + " of more than " +
                           std::to_string(text_limit(n_strings) >> 20) + " MiB");
}

}  // namespace quern::io
