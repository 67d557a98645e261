#include "io/source/dense_rows.hpp"

#include <algorithm>

#include "io/decode/convert.hpp"
#include "io/decode/inspect.hpp"

namespace quern::io {

// Without a column map: writes first and then moves on only past what is not zero, so that the loop has no branch.
template <class V>
void DenseRowWriter::keep(const V* values, std::size_t n, std::size_t first_column) {
  V* out = slot_.values_as<V>();
  std::uint32_t* out_columns = slot_.columns;
  std::size_t kept = n_kept_;
  if (columns_.to.empty()) {
    for (std::size_t i = 0; i < n; ++i) {
      out[kept] = values[i];
      out_columns[kept] = static_cast<std::uint32_t>(first_column + i);
      kept += static_cast<std::size_t>(values[i] != V{0});
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t column = columns_.to[first_column + i];
      if (column < 0 || values[i] == V{0}) continue;
      out[kept] = values[i];
      out_columns[kept++] = static_cast<std::uint32_t>(column);
    }
  }
  n_kept_ = kept;
}

template <class V>
void DenseRowWriter::add_as(const std::byte* raw, std::size_t n, std::size_t first_column) {
  if (is_value_type(type_, slot_.value_type)) return keep(reinterpret_cast<const V*>(raw), n, first_column);
  constexpr std::size_t block = 1024;
  V converted[block];
  for (std::size_t at = 0; at < n; at += block) {
    const std::size_t m = std::min(block, n - at);
    convert_values(type_, raw + at * type_.bytes, m, slot_.value_type, reinterpret_cast<std::byte*>(converted), values_.path());
    keep(converted, m, first_column + at);
  }
}

void DenseRowWriter::add(const std::byte* raw, std::size_t n, std::size_t first_column) {
  if (slot_.value_type == ValueType::f32)
    add_as<float>(raw, n, first_column);
  else
    add_as<double>(raw, n, first_column);
}

void DenseRowWriter::finish() {
  slot_.facts =
      slot_.value_type == ValueType::f32 ? inspect(slot_.values_as<float>(), n_kept_) : inspect(slot_.values_as<double>(), n_kept_);
}

}  // namespace quern::io
