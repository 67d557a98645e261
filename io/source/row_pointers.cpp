#include "io/source/row_pointers.hpp"

#include <algorithm>
#include <utility>

#include "host/core/error.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/source/element_stream_types.hpp"
#include "io/source/element_writers.hpp"

namespace quern::io {

namespace {

constexpr std::int64_t block = std::int64_t{1} << 18;  // pointers read at once

// Decodes the whole array within what is left of the budget, whatever its chunks claim.
void read_offsets(RawDataset stored, const std::string& file, MemoryBudget& budget, std::span<std::int64_t> out) {
  const std::int64_t size = stored.size();
  ElementStream stream(std::move(stored), file, size);
  const StoredType& type = stream.dataset().type();
  if (type.kind == StoredKind::real) throw input_error("bad-type", stream.dataset().path(), "holds reals, expected integers");
  const auto for_each_block = [&](auto&& work) {
    for (std::int64_t first = 0; first < size; first += block) work(ElementStream::Range{first, std::min(first + block, size)});
  };
  stream.begin_plan(1, block, budget.available());
  for_each_block([&](ElementStream::Range range) { stream.plan_range(range); });
  const ElementStream::Needs needs = stream.end_plan();
  const Claim claim = budget.claim("row pointers as they are stored", needs.staging_bytes + needs.shared_bytes + needs.pending_bytes);
  std::vector<std::byte> staging(needs.staging_bytes), shared(needs.shared_bytes);
  const auto pending = stream.make_pending();
  stream.start(shared);
  for_each_block([&](ElementStream::Range range) {
    stream.fetch(range, *pending, staging);
    OffsetWriter writer(type, &out[static_cast<std::size_t>(range.first)]);
    stream.decode(*pending, staging, writer);
  });
}

}  // namespace

RowPointers RowPointers::read(const MatrixInput& input, MemoryBudget& budget) {
  const MatrixInfo& matrix = input.matrix;
  RawDataset stored(input.file, matrix.indptr.path);
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
  read_offsets(std::move(stored), input.path, budget, result.pointers_);
  if (result.pointers_.front() != 0)
    throw input_error("bad-indptr", matrix.indptr.path, "starts at " + std::to_string(result.pointers_.front()) + ", expected 0");
  for (std::size_t r = 0; r + 1 < result.pointers_.size(); ++r) {
    if (result.pointers_[r + 1] < result.pointers_[r])
      throw input_error("bad-indptr", matrix.indptr.path, "decreases at row " + std::to_string(r));
    result.largest_row_ = std::max(result.largest_row_, result.pointers_[r + 1] - result.pointers_[r]);
  }
  if (result.pointers_.back() != indices.size())
    throw input_error(
        "bad-indptr", matrix.indptr.path,
        "ends at " + std::to_string(result.pointers_.back()) + ", but " + std::to_string(indices.size()) + " entries are stored");
  return result;
}

}  // namespace quern::io
