#include "io/source/canonical_rows.hpp"

#include <algorithm>
#include <cstdlib>

#include "io/decode/convert.hpp"
#include "io/decode/inspect.hpp"

namespace quern::io {
namespace {

constexpr std::int64_t most_exact = std::int64_t{1} << 53;

// Sorts one row in place; returns its length after summing duplicates.
template <class V>
std::int32_t canonical_row(std::uint32_t* columns, V* values, std::int32_t n, RowScratch& scratch) {
  scratch.keys.resize(static_cast<std::size_t>(n));
  scratch.values.resize(static_cast<std::size_t>(n));
  for (std::int32_t i = 0; i < n; ++i) {
    scratch.keys[static_cast<std::size_t>(i)] = std::uint64_t{columns[i]} << 32 | static_cast<std::uint32_t>(i);
    scratch.values[static_cast<std::size_t>(i)] = static_cast<double>(values[i]);
  }
  std::sort(scratch.keys.begin(), scratch.keys.end());
  std::int32_t out = 0;
  for (std::size_t i = 0; i < scratch.keys.size();) {
    const auto column = static_cast<std::uint32_t>(scratch.keys[i] >> 32);
    double sum = scratch.values[scratch.keys[i] & 0xffffffffU];
    for (++i; i < scratch.keys.size() && static_cast<std::uint32_t>(scratch.keys[i] >> 32) == column; ++i) {
      const double next = scratch.values[scratch.keys[i] & 0xffffffffU];
      if (!scratch.integers_of.empty() && std::abs(static_cast<std::int64_t>(sum) + static_cast<std::int64_t>(next)) > most_exact)
        throw value_too_large(scratch.integers_of, "the sum of entries of one row and column");
      sum += next;
    }
    columns[out] = column;
    values[out] = static_cast<V>(sum);
    if (static_cast<double>(values[out]) != sum && sum == sum) throw NeedsWiderValues();
    ++out;
  }
  return out;
}

template <class V>
std::int32_t canonical_rows(ChunkBuffer& slot, std::int64_t n_cols, RowScratch& scratch) {
  auto* values = slot.values_as<V>();
  const auto n_rows = static_cast<std::int32_t>(slot.rows.size());
  std::int32_t out = 0, begin = slot.offsets[0];
  slot.rearranged = false;
  for (std::int32_t r = 0; r < n_rows; ++r) {
    const std::int32_t end = slot.offsets[r + 1];
    std::int32_t n = end - begin;
    const std::uint32_t* columns = slot.columns + begin;
    const bool ascending = is_ascending(columns, static_cast<std::size_t>(n));
    // The last column of an ascending row is its largest.
    if (n > 0 && (!ascending || columns[n - 1] >= n_cols))
      if (const std::int32_t bad = find_bad_column(columns, n, n_cols); bad >= 0) return begin + bad;
    if (!ascending) {
      slot.rearranged = true;
      n = canonical_row(slot.columns + begin, values + begin, n, scratch);
    }
    if (out != begin) {
      std::copy_n(slot.columns + begin, n, slot.columns + out);
      std::copy_n(values + begin, n, values + out);
    }
    out += n;
    slot.offsets[r + 1] = out;
    begin = end;
  }
  return -1;
}

template <class V>
void map_rows(ChunkBuffer& slot, const std::vector<std::int32_t>& to) {
  auto* values = slot.values_as<V>();
  const auto n_rows = static_cast<std::int32_t>(slot.rows.size());
  std::int32_t out = 0, i = slot.offsets[0];
  for (std::int32_t r = 0; r < n_rows; ++r) {
    for (const std::int32_t end = slot.offsets[r + 1]; i < end; ++i) {
      const std::int32_t column = to[slot.columns[i]];
      if (column < 0) continue;
      slot.columns[out] = static_cast<std::uint32_t>(column);
      values[out++] = values[i];
    }
    slot.offsets[r + 1] = out;
  }
}

}  // namespace

void RowScratch::reserve(std::size_t max_row_nnz) {
  keys.reserve(max_row_nnz);
  values.reserve(max_row_nnz);
}

std::int32_t make_canonical(ChunkBuffer& slot, std::int64_t n_cols, RowScratch& scratch) {
  return slot.value_type == ValueType::f32 ? canonical_rows<float>(slot, n_cols, scratch) : canonical_rows<double>(slot, n_cols, scratch);
}

std::int32_t find_bad_column(const std::uint32_t* columns, std::int32_t n, std::int64_t n_cols) {
  const auto* bad = std::find_if(columns, columns + n, [&](std::uint32_t column) { return column >= n_cols; });
  return bad == columns + n ? -1 : static_cast<std::int32_t>(bad - columns);
}

void map_columns(ChunkBuffer& slot, const std::vector<std::int32_t>& to) {
  if (slot.value_type == ValueType::f32)
    map_rows<float>(slot, to);
  else
    map_rows<double>(slot, to);
}

}  // namespace quern::io
