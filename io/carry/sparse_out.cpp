#include "io/carry/sparse_out.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "host/core/error.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t usual_chunk_length = std::int64_t{1} << 18;

// Sorted numbers: their high bytes repeat.
Compression for_indices(Compression compression) {
  compression.shuffle = compression.shuffle || (compression.packing != Packing::none && compression.packing != Packing::blosc);
  return compression;
}

}  // namespace

SparseOut::SparseOut(const OutputGroup& group, const MatrixShape& shape, hid_t value_type, SparseOutOptions options, MemoryBudget& budget,
                     int n_parallel)
    : group_(group),
      shape_(shape),
      options_(std::move(options)),
      wide_(options_.wide || needs_wide_indices(shape.n_rows, shape.n_cols, shape.nnz)),
      value_type_(element_type(value_type)) {
  const hid_t index_type = wide_ ? file_type<std::int64_t>() : file_type<std::int32_t>();
  const Compression& how = options_.compression;
  if (!options_.data) data_.emplace(make_appender("data", value_type, value_type_.size, how, budget, n_parallel));
  if (!options_.indices) indices_.emplace(make_appender("indices", index_type, wide_ ? 8 : 4, for_indices(how), budget, n_parallel));
  // What is copied goes into the file in the order of the chunks of what is written, or of the data.
  const auto copies_indices = [this](std::int64_t entries) { options_.indices->copy_until(entries); };
  if (options_.indices && options_.data) options_.data->after_chunk(copies_indices);
  if (options_.indices && data_) data_->after_chunk(copies_indices);
  if (options_.data && indices_) indices_->after_chunk([this](std::int64_t entries) { options_.data->copy_until(entries); });
  claims_.push_back(budget.claim("row pointers on their way out", static_cast<std::size_t>(shape.n_rows + 1) * sizeof(std::int64_t)));
  pointers_.reserve(static_cast<std::size_t>(shape.n_rows + 1));
  pointers_.push_back(0);
}

std::size_t SparseOut::bytes_each_parallel(std::size_t value_bytes, const Compression& compression, std::int64_t chunk_length) {
  const auto elements = static_cast<std::size_t>(chunk_length > 0 ? chunk_length : usual_chunk_length);
  return ChunkAppender::memory_bytes(elements * value_bytes, compression, 1) +
         ChunkAppender::memory_bytes(elements * sizeof(std::int64_t), for_indices(compression), 1);
}

int SparseOut::affordable_parallel(std::size_t value_bytes, const Compression& compression, std::int64_t chunk_length, int threads,
                                   const MemoryBudget& budget) {
  const std::size_t each = bytes_each_parallel(value_bytes, compression, chunk_length);
  return static_cast<int>(std::clamp<std::size_t>(budget.available() / 4 / each, 1, 2 * static_cast<std::size_t>(threads)));
}

ChunkAppender SparseOut::make_appender(const char* name, hid_t type, std::size_t type_bytes, const Compression& compression,
                                       MemoryBudget& budget, int n_parallel) {
  const std::int64_t length = options_.chunk_length > 0 ? options_.chunk_length : usual_chunk_length;
  const ChunkedShape shape{shape_.nnz, std::clamp<std::int64_t>(shape_.nnz, 1, length)};
  const std::size_t bytes = static_cast<std::size_t>(shape.chunk_length) * type_bytes;
  claims_.push_back(budget.claim("matrices that are carried over", ChunkAppender::memory_bytes(bytes, compression, n_parallel)));
  return {ChunkedDataset(group_.get(), group_.object(), name, type, shape, compression), compression, n_parallel};
}

void SparseOut::append_pointers(std::span<const std::int32_t> offsets) {
  for (std::size_t row = 1; row < offsets.size(); ++row) pointers_.push_back(pointers_.back() + offsets[row] - offsets[row - 1]);
}

void SparseOut::fill_columns(std::span<const std::uint32_t> columns) {
  if (!wide_) return indices_->fill(std::as_bytes(columns));
  std::array<std::int64_t, 4096> wide;
  for (std::size_t at = 0; at < columns.size(); at += wide.size()) {
    const std::span<const std::uint32_t> part = columns.subspan(at, std::min(wide.size(), columns.size() - at));
    std::copy(part.begin(), part.end(), wide.begin());
    indices_->fill(std::as_bytes(std::span<const std::int64_t>(wide).first(part.size())));
  }
}

void SparseOut::append_entries(std::span<const std::uint32_t> columns, std::span<const std::byte> values) {
  if (!data_ && !indices_) return options_.data->copy_until(nnz());
  if (!indices_) return data_->append(values);
  const std::vector<ChunkAppender*> both = made();
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t n = std::min(columns.size() - at, both.back()->room());
    if (data_) data_->fill(values.subspan(at * value_type_.size, n * value_type_.size));
    fill_columns(columns.subspan(at, n));
    if (both.back()->room() == 0) ChunkAppender::write_full(both);
    at += n;
  }
}

std::vector<ChunkAppender*> SparseOut::made() {
  std::vector<ChunkAppender*> made;
  for (std::optional<ChunkAppender>* appender : {&data_, &indices_})
    if (*appender) made.push_back(&**appender);
  return made;
}

void SparseOut::write_full() {
  const std::vector<ChunkAppender*> both = made();
  if (!both.empty()) ChunkAppender::write_full(both);
}

void SparseOut::append(std::span<const std::int32_t> offsets, std::span<const std::uint32_t> columns, std::span<const std::byte> values) {
  append_pointers(offsets);
  append_entries(columns, values);
}

void SparseOut::append(const ChunkBuffer& chunk, std::span<const std::byte> values) {
  if ((options_.data || options_.indices) && chunk.rearranged) throw NeedsNewIndices();
  const auto n_rows = static_cast<std::size_t>(chunk.rows.size());
  append({chunk.offsets, n_rows + 1}, {chunk.columns, static_cast<std::size_t>(chunk.offsets[n_rows])}, values);
}

void SparseOut::finish() {
  if (static_cast<std::int64_t>(pointers_.size()) != shape_.n_rows + 1)
    throw Error(ErrorKind::internal, "wrong-length", group_.object(), "the number of rows written is not the matrix's");
  if (const std::vector<ChunkAppender*> both = made(); !both.empty()) ChunkAppender::write_rest(both, nnz());
  for (ChunkCopy* copy : {options_.data.get(), options_.indices.get()})
    if (copy) copy->copy_rest();
  for (ChunkCopy* copy : {options_.data.get(), options_.indices.get()})
    if (copy) copy->close();
  if (wide_) return write_plain_array(group_, "indptr", std::span<const std::int64_t>(pointers_));
  const std::vector<std::int32_t> narrow(pointers_.begin(), pointers_.end());
  write_plain_array(group_, "indptr", std::span<const std::int32_t>(narrow));
}

void SparseOut::give_up() {
  for (std::optional<ChunkAppender>* appender : {&data_, &indices_})
    if (*appender) (*appender)->close();
  for (ChunkCopy* copy : {options_.data.get(), options_.indices.get()})
    if (copy) copy->close();
}

}  // namespace quern::io
