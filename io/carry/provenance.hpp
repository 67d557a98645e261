// uns/quern: how a file came about.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "io/carry/carry_over.hpp"

namespace quern::io {

struct Provenance {
  std::string version, command, input, digest;
  std::vector<std::pair<std::string, std::string>> parameters;
};

// Writes uns/quern: version, command, input, digest as texts, parameters as a dict of texts. What an earlier run left in the source
// (null: none) goes to uns/quern/history/N, in the order of the runs.
void write_provenance(const OutputGroup& uns, const Provenance& provenance, const Hdf5File* from, const CopyElement& copy);

}  // namespace quern::io
