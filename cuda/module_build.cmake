# Run when one of HEADERS (a list) has changed: writes OUT, the definition of module_build(), from FLAGS and what is in them.
set(text "${FLAGS}")
foreach(header IN LISTS HEADERS)
  file(SHA256 ${header} hash)
  string(APPEND text " ${hash}")
endforeach()
string(SHA256 hash "${text}")
string(SUBSTRING ${hash} 0 16 hash)
file(CONFIGURE OUTPUT ${OUT} CONTENT [[
#include "cuda/module.hpp"

namespace quern::cuda {

const char* module_build() { return "@COMPILER@, @hash@"; }

}  // namespace quern::cuda
]] @ONLY)
