// The objects of an HDF5 file as text, whatever the file is.
#pragma once
#include <string>
#include <vector>

namespace quern::io {

struct TreeOptions {
  bool allow_external = false;  // external links are shown either way; true follows them
  int max_depth = 32;           // 1: the object and its children
  std::size_t max_lines = 5000;
};

// One line an object below `object` ("" or "/": the root), indented by depth: name, encoding or kind, type, shape, chunk, filters; links
// as links. `object` itself comes first, with its attributes. The walk happens in a probe (see probe.hpp). Throws input_error
// "missing-object" that names what there is instead, and what Hdf5File throws.
std::vector<std::string> object_tree(const std::string& path, const std::string& object, const TreeOptions& options);

}  // namespace quern::io
