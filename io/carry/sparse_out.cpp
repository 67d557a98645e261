#include "io/carry/sparse_out.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "host/core/error.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t chunk_elements = std::int64_t{1} << 18;
constexpr std::size_t values_at_once = 65536;

// Sorted numbers: their high bytes repeat.
Compression for_indices(Compression compression) {
  compression.shuffle = compression.shuffle || compression.packing != Packing::none;
  return compression;
}

template <class T>
void encode_as(const double* values, std::size_t n, std::byte* out) {
  for (std::size_t i = 0; i < n; ++i) {
    const T value = static_cast<T>(values[i]);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

template <class Small, class Short, class Long, class Widest>
void encode_whole(const double* values, std::size_t n, std::size_t bytes, std::byte* out) {
  if (bytes == 1) return encode_as<Small>(values, n, out);
  if (bytes == 2) return encode_as<Short>(values, n, out);
  if (bytes == 4) return encode_as<Long>(values, n, out);
  encode_as<Widest>(values, n, out);
}

// Values that the type holds, as the chunk's source has read them from one; little-endian.
void encode(const double* values, std::size_t n, const ElementType& type, std::byte* out) {
  if (type.kind == TypeClass::floating) return type.size == 4 ? encode_as<float>(values, n, out) : encode_as<double>(values, n, out);
  if (type.is_signed || type.kind == TypeClass::boolean)
    return encode_whole<std::int8_t, std::int16_t, std::int32_t, std::int64_t>(values, n, type.size, out);
  encode_whole<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>(values, n, type.size, out);
}

}  // namespace

SparseOut::SparseOut(const OutputGroup& group, const MatrixShape& shape, hid_t value_type, const Compression& compression,
                     MemoryBudget& budget, int n_parallel, std::unique_ptr<IndexCopy> copied)
    : group_(group),
      shape_(shape),
      wide_(needs_wide_indices(shape.n_rows, shape.n_cols, shape.nnz)),
      value_type_(element_type(value_type)),
      data_(make_appender(group, "data", value_type, compression, budget, n_parallel)),
      copied_(std::move(copied)) {
  const hid_t index_type = wide_ ? file_type<std::int64_t>() : file_type<std::int32_t>();
  if (copied_)
    data_.after_chunk([this](std::int64_t entries) { copied_->copy_until(entries); });
  else
    indices_.emplace(make_appender(group, "indices", index_type, for_indices(compression), budget, n_parallel));
  claims_.push_back(budget.claim("row pointers on their way out", static_cast<std::size_t>(shape.n_rows + 1) * sizeof(std::int64_t)));
  pointers_.reserve(static_cast<std::size_t>(shape.n_rows + 1));
  pointers_.push_back(0);
}

std::size_t SparseOut::bytes_each_parallel(std::size_t value_bytes, const Compression& compression) {
  const auto elements = static_cast<std::size_t>(chunk_elements);
  return ChunkAppender::memory_bytes(elements * value_bytes, compression, 1) +
         ChunkAppender::memory_bytes(elements * sizeof(std::int64_t), for_indices(compression), 1);
}

ChunkAppender SparseOut::make_appender(const OutputGroup& group, const char* name, hid_t type, const Compression& compression,
                                       MemoryBudget& budget, int n_parallel) {
  const ChunkedShape shape{shape_.nnz, std::clamp<std::int64_t>(shape_.nnz, 1, chunk_elements)};
  const std::size_t bytes = static_cast<std::size_t>(shape.chunk_length) * H5Tget_size(type);
  claims_.push_back(budget.claim("matrices that are carried over", ChunkAppender::memory_bytes(bytes, compression, n_parallel)));
  return {ChunkedDataset(group.get(), group.object(), name, type, shape, compression), compression, n_parallel};
}

void SparseOut::append_pointers(const ChunkBuffer& chunk, std::size_t first, std::size_t last) {
  for (std::size_t row = first; row < last; ++row) pointers_.push_back(pointers_.back() + chunk.offsets[row + 1] - chunk.offsets[row]);
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
  if (!indices_) return data_.append(values);
  const std::array both{&data_, &*indices_};
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t n = std::min(columns.size() - at, data_.room());
    data_.fill(values.subspan(at * value_type_.size, n * value_type_.size));
    fill_columns(columns.subspan(at, n));
    ChunkAppender::write_full(both);
    at += n;
  }
}

void SparseOut::append(const ChunkBuffer& chunk, RowRange rows) {
  const auto first = static_cast<std::size_t>(rows.first - chunk.rows.first), last = static_cast<std::size_t>(rows.last - chunk.rows.first);
  append_pointers(chunk, first, last);
  converted_.resize(values_at_once * sizeof(double));
  const auto end = static_cast<std::size_t>(chunk.offsets[last]);
  for (std::size_t at = static_cast<std::size_t>(chunk.offsets[first]); at < end; at += values_at_once) {
    const std::size_t n = std::min(values_at_once, end - at);
    encode(chunk.values_as<double>() + at, n, value_type_, converted_.data());
    append_entries({chunk.columns + at, n}, std::span<const std::byte>(converted_).first(n * value_type_.size));
  }
}

void SparseOut::append(const ChunkBuffer& chunk, std::span<const std::byte> values) {
  if (copied_ && chunk.rearranged) throw NeedsNewIndices();
  const auto n_rows = static_cast<std::size_t>(chunk.rows.size());
  append_pointers(chunk, 0, n_rows);
  append_entries({chunk.columns, static_cast<std::size_t>(chunk.offsets[n_rows])}, values);
}

void SparseOut::finish() {
  if (static_cast<std::int64_t>(pointers_.size()) != shape_.n_rows + 1)
    throw Error(ErrorKind::internal, "wrong-length", group_.object(), "the number of rows written is not the matrix's");
  std::vector<ChunkAppender*> made{&data_};
  if (indices_) made.push_back(&*indices_);
  ChunkAppender::write_rest(made, nnz());
  if (copied_) copied_->finish();
  if (wide_) return write_plain_array(group_, "indptr", std::span<const std::int64_t>(pointers_));
  const std::vector<std::int32_t> narrow(pointers_.begin(), pointers_.end());
  write_plain_array(group_, "indptr", std::span<const std::int32_t>(narrow));
}

void SparseOut::give_up() {
  data_.close();
  if (indices_) indices_->close();
  if (copied_) copied_->close();
}

}  // namespace quern::io
