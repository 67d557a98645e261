#include "io/h5ad/encoding.hpp"

#include "host/core/error.hpp"
#include "io/hdf5/attributes.hpp"

namespace quern::io {

Encoding encoding_of(hid_t object, const std::string& where) {
  return {string_attribute(object, "encoding-type", where).value_or(""), string_attribute(object, "encoding-version", where).value_or("")};
}

void require_encoding(hid_t object, const std::string& where, const std::vector<std::pair<std::string, std::string>>& known) {
  const Encoding found = encoding_of(object, where);
  if (found.type.empty()) return;
  std::string expected;
  for (const auto& [type, version] : known) {
    if (found.type == type && (found.version == version || found.version.empty())) return;
    expected += (expected.empty() ? "" : ", ") + type + " " + version;
  }
  throw input_error("unknown-encoding", where,
                    "the encoding '" + found.type + " " + found.version + "' is not known here (expected " + expected + ")",
                    "write the file again with anndata 0.8 to 0.13");
}

}  // namespace quern::io
