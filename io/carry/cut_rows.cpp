#include "io/carry/cut_rows.hpp"

#include <algorithm>

#include "host/core/error.hpp"
#include "io/carry/value_encoding.hpp"

namespace quern::io {
namespace {

// Only sums of repeated entries can have left the type that all values came from.
template <class V>
void encode_part(const V* values, std::size_t n, bool has_sums, const ElementType& type, std::byte* out) {
  if (has_sums && first_not_held(values, n, type) < n)
    throw input_error("unfit-value", "matrix", "repeated entries add up to more than " + type.name + " holds",
                      "such a matrix is damaged or holds no counts");
  encode_values(values, n, type, out);
}

}  // namespace

ValueType exact_value_type(const ElementType& type) {
  const std::size_t most = type.kind == TypeClass::floating ? 4 : 2;
  return type.size <= most ? ValueType::f32 : ValueType::f64;
}

template <class Use>
void CutRows::for_each_kept(const ChunkBuffer& chunk, Use use) const {
  auto range = std::partition_point(ranges_.begin(), ranges_.end(), [&](const RowRange& r) { return r.last <= chunk.rows.first; });
  for (; range != ranges_.end() && range->first < chunk.rows.last; ++range)
    use(std::max(range->first, chunk.rows.first) - chunk.rows.first, std::min(range->last, chunk.rows.last) - chunk.rows.first);
}

// What is kept never moves back, so nothing is overwritten before it has been read. Offsets beyond the kept rows stay as they were.
void CutRows::compute(ChunkBuffer& chunk) {
  std::int64_t n_rows = 0;
  std::int32_t n_entries = 0;
  for_each_kept(chunk, [&](std::int64_t first, std::int64_t last) {
    const std::int32_t begin = chunk.offsets[first], end = chunk.offsets[last];
    std::byte* out = chunk.values + static_cast<std::size_t>(n_entries) * type_.size;
    const auto n = static_cast<std::size_t>(end - begin);
    if (chunk.value_type == ValueType::f32)
      encode_part(chunk.values_as<float>() + begin, n, chunk.rearranged, type_, out);
    else
      encode_part(chunk.values_as<double>() + begin, n, chunk.rearranged, type_, out);
    if (begin != n_entries) std::copy(chunk.columns + begin, chunk.columns + end, chunk.columns + n_entries);
    const std::int32_t shift = begin - n_entries;
    for (std::int64_t row = first; row < last; ++row) chunk.offsets[++n_rows] = chunk.offsets[row + 1] - shift;
    n_entries += end - begin;
  });
}

void CutRows::hand_on(const ChunkBuffer& chunk) {
  std::int64_t n_rows = 0;
  for_each_kept(chunk, [&](std::int64_t first, std::int64_t last) { n_rows += last - first; });
  const std::span<const std::int32_t> offsets(chunk.offsets, static_cast<std::size_t>(n_rows) + 1);
  const auto n = static_cast<std::size_t>(offsets.back());
  out_.append(offsets, {chunk.columns, n}, {chunk.values, n * type_.size});
}

}  // namespace quern::io
