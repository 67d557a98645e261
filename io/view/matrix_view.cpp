#include "io/view/matrix_view.hpp"

#include <algorithm>

namespace quern::io {

std::int64_t total_size(const Ranges& ranges) {
  std::int64_t total = 0;
  for (const RowRange& range : ranges) total += range.size();
  return total;
}

bool contains(const Ranges& ranges, std::int64_t number) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), number, [](std::int64_t n, const RowRange& range) { return n < range.last; });
  return after != ranges.end() && after->first <= number;
}

std::unique_ptr<MatrixBlocks> read_matrix(const MatrixInput& input, const Ranges& rows, const Ranges& columns, MemoryBudget& budget) {
  const NumberKind kind = number_kind(input.matrix.data.type);
  if (input.file == H5I_INVALID_HID) return read_source(make_mtx_source(input, budget), kind, rows, columns, budget);
  switch (input.matrix.storage) {
    case Storage::csr:
      return read_csr(input, rows, columns, budget);
    case Storage::dense:
      return read_dense(input, rows, columns, budget);
    case Storage::csc:
      break;
  }
  auto blocks = read_csc(input, rows, columns, budget);
  return blocks ? std::move(blocks) : read_source(make_csc_source(input, budget), kind, rows, columns, budget);
}

}  // namespace quern::io
