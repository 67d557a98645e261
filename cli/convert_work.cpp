#include "cli/convert_work.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/core/error.hpp"
#include "io/carry/value_encoding.hpp"

namespace quern::cli {

template <class V>
void EncodeValues::encode(ChunkBuffer& chunk, std::size_t n) const {
  const V* values = chunk.values_as<V>();
  if (const std::size_t at = io::first_not_held(values, n, type_); at < n) {
    const std::int32_t* after = std::upper_bound(chunk.offsets, chunk.offsets + chunk.rows.size(), static_cast<std::int32_t>(at));
    throw input_error(
        "unfit-value", matrix_,
        fmt::format("row {} holds {}, which is no {}", chunk.rows.first + (after - chunk.offsets) - 1, values[at], type_.name),
        "choose another type or matrix");
  }
  if (type_.kind == io::TypeClass::floating && type_.size == sizeof(V)) return;
  io::encode_values(values, n, type_, chunk.values);
}

void EncodeValues::compute(ChunkSlot& slot) {
  const auto n = static_cast<std::size_t>(slot.chunk.offsets[slot.chunk.rows.size()]);
  if (slot.chunk.value_type == ValueType::f32)
    encode<float>(slot.chunk, n);
  else
    encode<double>(slot.chunk, n);
}

void EncodeValues::hand_on(ChunkSlot& slot) {
  const auto n_rows = static_cast<std::size_t>(slot.chunk.rows.size());
  const auto n = static_cast<std::size_t>(slot.chunk.offsets[n_rows]);
  const std::span<const std::byte> values(slot.chunk.values, n * type_.size);
  row_sizes_.resize(n_rows);
  for (std::size_t r = 0; r < n_rows; ++r) row_sizes_[r] = slot.chunk.offsets[r + 1] - slot.chunk.offsets[r];
  hashes_[0].add_bits(values);
  hashes_[1].add_bits(std::as_bytes(std::span(slot.chunk.columns, n)));
  hashes_[2].add(std::span<const std::int32_t>(row_sizes_));
  out_.append(slot.chunk, values);
}

}  // namespace quern::cli
