// The labels of cells, as groups of them need them: numbers of levels.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "host/core/memory.hpp"
#include "io/hdf5/file.hpp"

namespace quern::io {

struct Labels {
  std::vector<std::string> levels;      // of a categorical: its categories, in their order; else the different values, sorted
  std::vector<std::int32_t> levels_of;  // of each row; -1: missing
  std::vector<Claim> claims;
};

// A categorical of any generation, or a column of texts or booleans ("False", "True"); numbers are the caller's to refuse. Claims 4 bytes a
// row and what the levels take. Throws what reading a damaged column throws.
Labels read_labels(const Hdf5File& file, const std::string& frame, const std::string& column, MemoryBudget& budget);

}  // namespace quern::io
