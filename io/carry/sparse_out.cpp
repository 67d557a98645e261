#include "io/carry/sparse_out.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

#include "host/core/error.hpp"
#include "io/h5ad_write/anndata_elements.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t chunk_elements = std::int64_t{1} << 18;
constexpr std::size_t values_at_once = 65536;

bool needs_wide(const MatrixShape& shape) {
  return std::max({shape.nnz, shape.n_rows, shape.n_cols}) > std::numeric_limits<std::int32_t>::max();
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
                     MemoryBudget& budget, int n_parallel)
    : group_(group),
      shape_(shape),
      wide_(needs_wide(shape)),
      value_type_(element_type(value_type)),
      data_(make_appender(group, "data", value_type, compression, budget, n_parallel)),
      indices_(
          make_appender(group, "indices", wide_ ? file_type<std::int64_t>() : file_type<std::int32_t>(), compression, budget, n_parallel)) {
  claims_.push_back(budget.claim("row pointers on their way out", static_cast<std::size_t>(shape.n_rows + 1) * sizeof(std::int64_t)));
  pointers_.reserve(static_cast<std::size_t>(shape.n_rows + 1));
  pointers_.push_back(0);
  converted_.resize(values_at_once * sizeof(double));
}

ChunkAppender SparseOut::make_appender(const OutputGroup& group, const char* name, hid_t type, const Compression& compression,
                                       MemoryBudget& budget, int n_parallel) {
  const ChunkedShape shape{shape_.nnz, std::clamp<std::int64_t>(shape_.nnz, 1, chunk_elements)};
  const std::size_t bytes = static_cast<std::size_t>(shape.chunk_length) * H5Tget_size(type);
  claims_.push_back(budget.claim("matrices that are carried over", ChunkAppender::memory_bytes(bytes, compression, n_parallel)));
  return {ChunkedDataset(group.get(), group.object(), name, type, shape, compression), compression, n_parallel};
}

void SparseOut::append(const ChunkBuffer& chunk, RowRange rows) {
  const auto first = static_cast<std::size_t>(rows.first - chunk.rows.first), last = static_cast<std::size_t>(rows.last - chunk.rows.first);
  for (std::size_t row = first; row < last; ++row) pointers_.push_back(pointers_.back() + chunk.offsets[row + 1] - chunk.offsets[row]);
  const auto end = static_cast<std::size_t>(chunk.offsets[last]);
  for (std::size_t at = static_cast<std::size_t>(chunk.offsets[first]); at < end; at += values_at_once) {
    const std::size_t n = std::min(values_at_once, end - at);
    const std::span<const std::uint32_t> columns(chunk.columns + at, n);
    if (wide_) {
      const std::vector<std::int64_t> wide(columns.begin(), columns.end());
      indices_.append_values(std::span<const std::int64_t>(wide));
    } else {
      indices_.append_values(columns);
    }
    encode(chunk.values_as<double>() + at, n, value_type_, converted_.data());
    data_.append(std::span<const std::byte>(converted_).first(n * value_type_.size));
  }
}

void SparseOut::finish() {
  if (static_cast<std::int64_t>(pointers_.size()) != shape_.n_rows + 1)
    throw Error(ErrorKind::internal, "wrong-length", group_.object(), "the number of rows written is not the matrix's");
  data_.finish_at(nnz());
  indices_.finish_at(nnz());
  if (wide_) return write_plain_array(group_, "indptr", std::span<const std::int64_t>(pointers_));
  const std::vector<std::int32_t> narrow(pointers_.begin(), pointers_.end());
  write_plain_array(group_, "indptr", std::span<const std::int32_t>(narrow));
}

}  // namespace quern::io
