#pragma once
#include <string>

namespace quern::io {

std::string hdf5_version();  // of the library that is running: "1.10.8"

}  // namespace quern::io
