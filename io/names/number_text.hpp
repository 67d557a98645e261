// Numbers as text, in Python's form.
#pragma once
#include <string>

namespace quern::io {

// Shortest text that reads back to the same double, as Python's repr: 1.0, 1e+16, 1e-05, 0.0001, nan, inf, -inf.
std::string python_repr(double value);

}  // namespace quern::io
