#include "cuda/wire.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "host/core/error.hpp"

namespace quern::cuda {
namespace {

constexpr std::size_t block_entries = 1024;  // converted at a time, in the first-level cache

// Calls convert(from, to, n, first entry) on blocks of `count` numbers; To is not wider than From, and takes its place in memory.
template <class From, class To, class Convert>
void convert_in_place(void* array, std::size_t count, const Convert& convert) {
  auto* bytes = static_cast<std::byte*>(array);
  std::array<From, block_entries> from;
  std::array<To, block_entries> to;
  for (std::size_t at = 0; at < count; at += block_entries) {
    const std::size_t n = std::min(block_entries, count - at);
    std::memcpy(from.data(), bytes + at * sizeof(From), n * sizeof(From));
    convert(from.data(), to.data(), n, at);
    std::memcpy(bytes + at * sizeof(To), to.data(), n * sizeof(To));
  }
}

// A count as a byte; u8_escape for what is none.
inline std::uint8_t coded(std::int32_t value) {
  return static_cast<std::uint8_t>(std::min(static_cast<std::uint32_t>(value), std::uint32_t{u8_escape}));
}

template <class V>
std::size_t count_escapes(const V* values, std::size_t count) {
  std::size_t escapes = 0;
  for (std::size_t i = 0; i < count; ++i) escapes += coded(static_cast<std::int32_t>(values[i])) == u8_escape;
  return escapes;
}

[[noreturn]] void too_many_escapes() {
  throw Error(ErrorKind::internal, "wrong-facts", "a chunk on its way to a device", "its values are not what was found out about them",
              "please report this; --backend cpu does without");
}

template <class V>
std::int32_t narrow_values(V* values, std::size_t count, std::span<Escape> escapes) {
  std::int32_t n_escapes = 0;
  convert_in_place<V, std::uint8_t>(values, count, [&](const V* from, std::uint8_t* to, std::size_t n, std::size_t first) {
    for (std::size_t i = 0; i < n; ++i) to[i] = coded(static_cast<std::int32_t>(from[i]));
    if (std::memchr(to, u8_escape, n) == nullptr) return;
    for (std::size_t i = 0; i < n; ++i) {
      if (to[i] != u8_escape) continue;
      if (static_cast<std::size_t>(n_escapes) == escapes.size()) too_many_escapes();
      escapes[static_cast<std::size_t>(n_escapes++)] = {static_cast<std::int32_t>(first + i), static_cast<std::int32_t>(from[i])};
    }
  });
  return n_escapes;
}

// The chunk gave leave to overwrite its arrays (csr_chunk.hpp).
template <class T>
T* writable(const T* array) {
  return const_cast<T*>(array);
}

template <class V>
void wire_values(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin, std::size_t count, bool whole, std::span<Escape> escapes,
                 Wire& wire) {
  V* values = writable(chunk.values_as<V>()) + begin;
  wire.values = values;
  wire.value_code = sizeof(V) == 4 ? ValueCode::f32 : ValueCode::f64;
  if (!whole || !chunk.overwritable) return;
  const bool all_fit = chunk.facts.max_abs < u8_escape && !chunk.facts.has_negative;
  if (!all_fit && count_escapes(values, count) > escapes.size()) return;
  wire.n_escapes = narrow_values(values, count, escapes);
  wire.value_code = ValueCode::u8;
}

}  // namespace

Wire make_value_wire(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin, std::int32_t end, bool whole,
                     std::span<Escape> escapes) {
  Wire wire;
  const auto count = static_cast<std::size_t>(end - begin);
  if (chunk.value_type == ValueType::f32)
    wire_values<float>(chunk, begin, count, whole, escapes, wire);
  else
    wire_values<double>(chunk, begin, count, whole, escapes, wire);
  return wire;
}

Wire make_wire(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin, std::int32_t end, bool whole, std::span<Escape> escapes) {
  Wire wire = make_value_wire(chunk, begin, end, whole, escapes);
  wire.columns = chunk.columns + begin;
  if (!chunk.overwritable || column_code_of(chunk.n_cols) != ColumnCode::u16) return wire;
  convert_in_place<std::uint32_t, std::uint16_t>(writable(chunk.columns) + begin, static_cast<std::size_t>(end - begin),
                                                 [](const std::uint32_t* from, std::uint16_t* to, std::size_t n, std::size_t) {
                                                   for (std::size_t i = 0; i < n; ++i) to[i] = static_cast<std::uint16_t>(from[i]);
                                                 });
  wire.column_code = ColumnCode::u16;
  return wire;
}

}  // namespace quern::cuda
