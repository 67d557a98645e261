// The tags anndata puts on every element since 0.8 (on some since 0.7).
#pragma once
#include <hdf5.h>

#include <string>
#include <utility>
#include <vector>

namespace quern::io {

struct Encoding {
  std::string type, version;  // empty: not tagged
};

Encoding encoding_of(hid_t object, const std::string& where);
// Untagged, or exactly one of `known` (a missing version passes); else input_error("unknown-encoding") that names what was found.
void require_encoding(hid_t object, const std::string& where, const std::vector<std::pair<std::string, std::string>>& known);

}  // namespace quern::io
