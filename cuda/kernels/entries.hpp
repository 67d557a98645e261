// The stored entries of a chunk as kernels read them, whatever their code on the device.
#pragma once
#include "cuda/device/device.hpp"
#include "cuda/kernels/chunk_args.hpp"

namespace quern::cuda {

// The value behind u8_escape: a search in the list of escapes.
QUERN_DEVICE std::int32_t escaped_value(const DeviceChunk& chunk, std::uint32_t entry) {
  std::int32_t low = 0, high = chunk.n_escapes;
  while (low + 1 < high) {
    const std::int32_t middle = low + (high - low) / 2;
    if (static_cast<std::uint32_t>(load(&chunk.escapes[middle].entry, 0)) <= entry)
      low = middle;
    else
      high = middle;
  }
  return load(&chunk.escapes[low].value, 0);
}

// Column: std::uint16_t or std::uint32_t. Value: std::uint8_t, float or double.
template <class ColumnType, class ValueType>
struct Entries {
  using Column = ColumnType;
  using Value = ValueType;
  DeviceChunk chunk;

  QUERN_DEVICE Column column(std::uint32_t entry) const { return load_streaming(static_cast<const Column*>(chunk.columns), entry); }
  QUERN_DEVICE Value stored(std::uint32_t entry) const { return load_streaming(static_cast<const Value*>(chunk.values), entry); }

  // As a whole number / as a real one; `value` is what `stored` gave for this entry.
  QUERN_DEVICE std::int32_t whole(Value value, std::uint32_t entry) const {
    if constexpr (sizeof(Value) == 1) {
      if (value == u8_escape) return escaped_value(chunk, entry);
    }
    return static_cast<std::int32_t>(value);
  }
  QUERN_DEVICE double real(Value value, std::uint32_t entry) const {
    if constexpr (sizeof(Value) == 1) return static_cast<double>(whole(value, entry));
    return static_cast<double>(value);
  }
  QUERN_DEVICE std::uint32_t row_begin(std::int32_t row) const { return static_cast<std::uint32_t>(load(chunk.offsets, row)); }
  QUERN_DEVICE std::uint32_t row_end(std::int32_t row) const { return static_cast<std::uint32_t>(load(chunk.offsets, row + 1)); }
};

// Some consecutive steps of one group along its row: entry `at + j * Width` is the lane's j-th. What lies beyond `end` reads as a zero.
template <class Entries, int Width, int Steps>
struct EntryBatch {
  typename Entries::Column column[Steps];
  typename Entries::Value value[Steps];

  QUERN_DEVICE void read(const Entries& entries, std::uint32_t at, std::uint32_t end) {
    for (int j = 0; j < Steps; ++j) {
      const std::uint32_t entry = at + static_cast<std::uint32_t>(j * Width);
      const bool inside = entry < end;
      column[j] = inside ? entries.column(entry) : typename Entries::Column{0};
      value[j] = inside ? entries.stored(entry) : typename Entries::Value{0};
    }
  }
};

}  // namespace quern::cuda
