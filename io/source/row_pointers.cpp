#include "io/source/row_pointers.hpp"

#include <algorithm>

#include "host/core/error.hpp"
#include "io/hdf5/raw_dataset.hpp"

namespace quern::io {

RowPointers RowPointers::read(const MatrixInput& input, MemoryBudget& budget) {
  const MatrixInfo& matrix = input.matrix;
  const RawDataset stored(input.file, matrix.indptr.path);
  const RawDataset indices(input.file, matrix.indices.path), data(input.file, matrix.data.path);
  if (stored.dims().size() != 1 || stored.size() != matrix.rows + 1)
    throw input_error("bad-indptr", matrix.indptr.path,
                      "has " + std::to_string(stored.size()) + " entries, expected " + std::to_string(matrix.rows + 1));
  if (indices.dims().size() != 1 || data.dims().size() != 1 || indices.size() != data.size())
    throw input_error("bad-shape", matrix.indices.path,
                      "has " + std::to_string(indices.size()) + " entries but data has " + std::to_string(data.size()));
  RowPointers result;
  result.claim_ = budget.claim("row pointers", static_cast<std::size_t>(stored.size()) * sizeof(std::int64_t));
  result.pointers_.resize(static_cast<std::size_t>(stored.size()));
  read_as_int64(stored, input.file, result.pointers_);
  if (result.pointers_.front() != 0)
    throw input_error("bad-indptr", matrix.indptr.path, "starts at " + std::to_string(result.pointers_.front()) + ", expected 0");
  for (std::size_t r = 0; r + 1 < result.pointers_.size(); ++r) {
    const std::int64_t n = result.pointers_[r + 1] - result.pointers_[r];
    if (result.pointers_[r + 1] < result.pointers_[r])
      throw input_error("bad-indptr", matrix.indptr.path, "decreases at row " + std::to_string(r));
    result.largest_row_ = std::max(result.largest_row_, n);
  }
  if (result.pointers_.back() > indices.size())
    throw input_error(
        "bad-indptr", matrix.indptr.path,
        "ends at " + std::to_string(result.pointers_.back()) + ", beyond the " + std::to_string(indices.size()) + " entries stored");
  return result;
}

}  // namespace quern::io
