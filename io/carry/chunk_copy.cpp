#include "io/carry/chunk_copy.hpp"

#include <algorithm>
#include <limits>

namespace quern::io {
namespace {

constexpr std::size_t smallest_chunk_bytes = std::size_t{1} << 14, largest_chunk_bytes = std::size_t{1} << 22;
constexpr int shuffle = static_cast<int>(FilterId::shuffle), deflate = static_cast<int>(FilterId::deflate);

// What no filter lets a chunk exceed that was worth storing.
std::size_t stored_bound(const RawDataset& stored) { return stored.filters().chunk_bytes + stored.filters().chunk_bytes / 64 + 1024; }

Compression compression_of(const RawDataset& stored) {
  const auto& steps = stored.filters().steps;
  const auto& params = steps.back().params;
  return {Packing::gzip, params.empty() ? 4 : static_cast<int>(std::min(params[0], 9U)), steps.size() == 2};
}

ChunkedDataset make(const RawDataset& stored, const std::string& name, hid_t type, const OutputGroup& to) {
  const ChunkedShape shape{stored.size(), static_cast<std::int64_t>(stored.chunk_dims()[0])};
  return {to.get(), to.object(), name, type, shape, compression_of(stored)};
}

bool is_packed_for_all(const RawDataset& stored) {
  if (stored.access() != Access::chunks || stored.type().big_endian) return false;
  const auto& steps = stored.filters().steps;
  const bool packed = (steps.size() == 1 || (steps.size() == 2 && steps[0].id == shuffle)) && steps.back().id == deflate;
  const std::size_t bytes = stored.filters().chunk_bytes;
  return packed && bytes >= smallest_chunk_bytes && bytes <= largest_chunk_bytes;
}

bool has_entries_by_row(const MatrixInfo& matrix) { return matrix.storage == Storage::csr && matrix.nnz > 0; }

}  // namespace

bool needs_wide_indices(std::int64_t rows, std::int64_t cols, std::int64_t nnz) {
  return std::max({rows, cols, nnz}) > std::numeric_limits<std::int32_t>::max();
}

bool ChunkCopy::can_copy_indices(hid_t file, const MatrixInfo& matrix) {
  if (!has_entries_by_row(matrix)) return false;
  const RawDataset stored(file, matrix.indices.path);
  const std::size_t width = needs_wide_indices(matrix.rows, matrix.cols, matrix.nnz) ? 8 : 4;
  return stored.type().kind == StoredKind::signed_integer && stored.type().bytes == width && is_packed_for_all(stored);
}

bool ChunkCopy::can_copy_data(hid_t file, const MatrixInfo& matrix) {
  if (!has_entries_by_row(matrix)) return false;
  const RawDataset stored(file, matrix.data.path);
  return !(stored.type().kind == StoredKind::real && stored.type().bytes == 2) && is_packed_for_all(stored);
}

ChunkCopy::ChunkCopy(hid_t file, const StoredArray& array, const std::string& name, hid_t type, const OutputGroup& to, MemoryBudget& budget)
    : stored_(file, array.path),
      claim_(budget.claim("matrices that are carried over", stored_bound(stored_))),
      buffer_(stored_bound(stored_)),
      made_(make(stored_, name, type, to)) {}

void ChunkCopy::copy_until(std::int64_t end) {
  const std::int64_t length = made_->shape().chunk_length;
  while (next_chunk_ * length < std::min(end, made_->shape().length)) {
    const hsize_t offset = static_cast<hsize_t>(next_chunk_ * length);
    const std::size_t bytes = stored_.stored_chunk_bytes({&offset, 1});
    if (bytes == 0 || bytes > buffer_.size()) throw NeedsNewIndices();
    const std::span<std::byte> packed = std::span(buffer_).first(bytes);
    const std::uint32_t mask = stored_.read_chunk({&offset, 1}, packed);
    made_->write_chunk(next_chunk_++, packed, mask);
    if (after_chunk_) after_chunk_(next_chunk_ * length);
  }
}

}  // namespace quern::io
