// A 10x file or matrix directory as an h5ad: what scanpy's read_10x_h5 and read_10x_mtx make of it.
#pragma once
#include <string>
#include <vector>

#include "io/carry/carry_over.hpp"
#include "io/input.hpp"

namespace quern::io {

// What scanpy makes of the values of a matrix: 32-bit floats of 10x's integers and of directories; other types stay, but for 16-bit floats,
// which become 32-bit ones. Also of an h5ad's.
std::string scanpy_value_type(const FileInfo& info, const MatrixInfo& matrix);

// Writes X (where options.with_x; in scanpy's type, or 64-bit floats where whole numbers need them), obs, var, and the other groups with
// what the options add. Throws what reading the input throws. Memory: as carry_over, and what the source
// claims.
std::vector<Warning> carry_from_tenx(Input& input, const OutputFile& to, const CarryOptions& options, MemoryBudget& budget);

}  // namespace quern::io
