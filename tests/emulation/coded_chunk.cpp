#include "tests/emulation/coded_chunk.hpp"

#include <algorithm>
#include <cmath>

namespace quern::emulation {
namespace {

using cuda::ColumnCode;
using cuda::Escape;
using cuda::ValueCode;

template <class T, class From>
std::vector<std::byte> bytes_as(const std::vector<From>& values) {
  std::vector<T> cast;
  for (const From value : values) cast.push_back(static_cast<T>(value));
  std::vector<std::byte> bytes(cast.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), cast.data(), bytes.size());
  return bytes;
}

bool fits_byte(double value) { return value >= 0 && value < cuda::u8_escape; }

std::vector<Escape> escapes_of(const HostChunk& chunk, const Codes& codes) {
  std::vector<Escape> escapes;
  if (codes.values != ValueCode::u8) return escapes;
  for (std::size_t i = 0; i < chunk.values.size(); ++i)
    if (!fits_byte(chunk.values[i])) escapes.push_back({static_cast<std::int32_t>(i), static_cast<std::int32_t>(chunk.values[i])});
  return escapes;
}

std::vector<std::byte> values_of(const HostChunk& chunk, const Codes& codes) {
  if (codes.values == ValueCode::f64) return bytes_as<double>(chunk.values);
  if (codes.values == ValueCode::f32) return bytes_as<float>(chunk.values);
  std::vector<double> small = chunk.values;
  for (double& value : small)
    if (!fits_byte(value)) value = cuda::u8_escape;
  return bytes_as<std::uint8_t>(small);
}

}  // namespace

HostChunk::HostChunk(const test::Rows& rows, std::size_t first, std::size_t last) {
  for (std::size_t r = first; r < last; ++r) {
    for (const test::Entry& entry : rows[r]) {
      columns.push_back(entry.column);
      values.push_back(entry.value);
      facts.whole = facts.whole && entry.value == std::rint(entry.value) && std::abs(entry.value) < 2147483648.0;
      facts.has_zero = facts.has_zero || entry.value == 0;
      facts.has_negative = facts.has_negative || entry.value < 0;
      facts.has_nan = facts.has_nan || std::isnan(entry.value);
      facts.has_infinity = facts.has_infinity || std::isinf(entry.value);
      if (std::isfinite(entry.value)) facts.max_abs = std::max(facts.max_abs, std::abs(entry.value));
    }
    offsets.push_back(static_cast<std::int32_t>(columns.size()));
  }
}

HostChunk::HostChunk(const CsrChunkView<MemorySpace::host>& chunk)
    : offsets(chunk.offsets, chunk.offsets + chunk.n_rows + 1), columns(chunk.columns, chunk.columns + chunk.nnz()), facts(chunk.facts) {
  if (chunk.value_type == ValueType::f32)
    values.assign(chunk.values_as<float>(), chunk.values_as<float>() + chunk.nnz());
  else
    values.assign(chunk.values_as<double>(), chunk.values_as<double>() + chunk.nnz());
}

CodedChunk::CodedChunk(const HostChunk& chunk, std::uint32_t n_cols, const Codes& codes)
    : offsets_(chunk.offsets),
      columns_(codes.columns == ColumnCode::u16 ? bytes_as<std::uint16_t>(chunk.columns) : bytes_as<std::uint32_t>(chunk.columns)),
      values_(values_of(chunk, codes)),
      escapes_(escapes_of(chunk, codes)) {
  view_.n_rows = static_cast<std::int32_t>(chunk.offsets.size() - 1);
  view_.nnz = chunk.offsets.back();
  view_.n_escapes = static_cast<std::int32_t>(escapes_.size());
  view_.n_cols = n_cols;
  view_.column_code = codes.columns;
  view_.value_code = codes.values;
  view_.may_have_zeros = chunk.facts.has_zero;
  view_.offsets = offsets_.data();
  view_.columns = columns_.data();
  view_.values = values_.data();
  view_.escapes = escapes_.data();
}

}  // namespace quern::emulation
