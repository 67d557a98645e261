#include "host/pipeline/packed_block.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <type_traits>

#include "host/core/memory.hpp"

namespace quern {
namespace {

constexpr std::uint8_t no_count = 255;  // stands for one of the others

template <class V>
using Bits = std::conditional_t<sizeof(V) == 4, std::uint32_t, std::uint64_t>;

// One of the others, and where it belongs.
template <class V>
struct Other {
  V value;
  std::int32_t entry;
};

template <class V>
std::size_t bytes_of_others(std::int32_t n) {
  return aligned(static_cast<std::size_t>(n) * sizeof(Other<V>));
}

// Where the parts of a block begin.
struct Parts {
  std::size_t columns, values, others, end;
  explicit Parts(const PackedBlock& block) {
    const auto nnz = static_cast<std::size_t>(block.nnz);
    columns = aligned(static_cast<std::size_t>(block.rows.size() + 1) * sizeof(std::int32_t));
    values = columns + aligned(nnz * (block.narrow_columns ? sizeof(std::uint16_t) : sizeof(std::uint32_t)));
    others = values + aligned(nnz * (block.counts ? sizeof(std::uint8_t) : size_of(block.value_type)));
    const bool narrow = block.value_type == ValueType::f32;
    end = others + (block.counts ? narrow ? bytes_of_others<float>(block.n_others) : bytes_of_others<double>(block.n_others) : 0);
  }
};

// The count that stands for a value, or no_count: also for -0 and NaN, whose bits no count gives back.
template <class V>
std::uint8_t count_of(V value) {
  const V held = value >= V{0} && value < V{no_count} ? value : V{0};
  const auto count = static_cast<std::int32_t>(held);
  return std::bit_cast<Bits<V>>(static_cast<V>(count)) == std::bit_cast<Bits<V>>(value) ? static_cast<std::uint8_t>(count) : no_count;
}

template <class V>
std::int32_t count_others(const V* values, std::int32_t n) {
  std::int32_t others = 0;
  for (std::int32_t i = 0; i < n; ++i) {
    const V value = values[i], held = value >= V{0} && value < V{no_count} ? value : V{0};
    others += std::bit_cast<Bits<V>>(static_cast<V>(static_cast<std::int32_t>(held))) != std::bit_cast<Bits<V>>(value);
  }
  return others;
}

template <class V>
void choose_values(const ChunkBuffer& chunk, PackedBlock& block) {
  block.n_others = count_others(chunk.values_as<V>(), block.nnz);
  const auto others = static_cast<std::size_t>(block.n_others), nnz = static_cast<std::size_t>(block.nnz);
  block.counts = nnz + others * sizeof(Other<V>) < nnz * sizeof(V);
}

template <class V>
void pack_values(const V* values, const PackedBlock& block, std::byte* out, std::byte* others_out) {
  if (!block.counts) {
    std::copy_n(values, block.nnz, reinterpret_cast<V*>(out));
    return;
  }
  auto* counts = reinterpret_cast<std::uint8_t*>(out);
  for (std::int32_t i = 0; i < block.nnz; ++i) counts[i] = count_of(values[i]);
  if (block.n_others == 0) return;
  auto* other = reinterpret_cast<Other<V>*>(others_out);
  for (std::int32_t i = 0; i < block.nnz; ++i)
    if (counts[i] == no_count) *other++ = {values[i], i};
}

// From values of one width to the other; all of them must be held exactly.
template <class From, class To>
void convert_exactly(const From* from, std::int32_t n, To* to) {
  bool inexact = false;
  for (std::int32_t i = 0; i < n; ++i) {
    to[i] = static_cast<To>(from[i]);
    inexact |= static_cast<From>(to[i]) != from[i] && from[i] == from[i];
  }
  if (inexact) throw NeedsWiderValues();
}

// `stored` is the type the values were decoded as, To that of the slot.
template <class From, class To>
void unpack_values(const PackedBlock& block, std::int32_t begin, std::int32_t end, To* to) {
  const Parts parts(block);
  if (!block.counts) return convert_exactly(reinterpret_cast<const From*>(block.at + parts.values) + begin, end - begin, to);
  const auto* counts = reinterpret_cast<const std::uint8_t*>(block.at + parts.values) + begin;
  for (std::int32_t i = 0; i < end - begin; ++i) to[i] = static_cast<To>(counts[i]);
  const auto* others = reinterpret_cast<const Other<From>*>(block.at + parts.others);
  const auto* last = others + block.n_others;
  const auto* other = std::lower_bound(others, last, begin, [](const Other<From>& o, std::int32_t entry) { return o.entry < entry; });
  for (; other != last && other->entry < end; ++other) convert_exactly(&other->value, 1, to + (other->entry - begin));
}

template <class To>
void unpack_values_as(const PackedBlock& block, std::int32_t begin, std::int32_t end, To* to) {
  if (block.value_type == ValueType::f32)
    unpack_values<float>(block, begin, end, to);
  else
    unpack_values<double>(block, begin, end, to);
}

}  // namespace

std::size_t PackedBlock::bytes() const { return Parts(*this).end; }

PackedBlock plan_block(const ChunkBuffer& chunk, std::int64_t n_cols) {
  PackedBlock block;
  block.rows = chunk.rows;
  block.facts = chunk.facts;
  block.value_type = chunk.value_type;
  block.rearranged = chunk.rearranged;
  block.narrow_columns = n_cols <= std::numeric_limits<std::uint16_t>::max() + 1;
  block.nnz = chunk.offsets[chunk.rows.size()];
  if (chunk.value_type == ValueType::f32)
    choose_values<float>(chunk, block);
  else
    choose_values<double>(chunk, block);
  return block;
}

void pack_block(const ChunkBuffer& chunk, const PackedBlock& block) {
  const Parts parts(block);
  std::copy_n(chunk.offsets, chunk.rows.size() + 1, reinterpret_cast<std::int32_t*>(block.at));
  if (block.narrow_columns) {
    auto* columns = reinterpret_cast<std::uint16_t*>(block.at + parts.columns);
    for (std::int32_t i = 0; i < block.nnz; ++i) columns[i] = static_cast<std::uint16_t>(chunk.columns[i]);
  } else {
    std::copy_n(chunk.columns, block.nnz, reinterpret_cast<std::uint32_t*>(block.at + parts.columns));
  }
  if (block.value_type == ValueType::f32)
    pack_values(chunk.values_as<float>(), block, block.at + parts.values, block.at + parts.others);
  else
    pack_values(chunk.values_as<double>(), block, block.at + parts.values, block.at + parts.others);
}

void unpack_rows(const PackedBlock& block, ChunkBuffer& slot) {
  const std::int32_t* offsets = block.offsets() + (slot.rows.first - block.rows.first);
  const std::int32_t begin = offsets[0], end = offsets[slot.rows.size()];
  for (std::int64_t r = 0; r <= slot.rows.size(); ++r) slot.offsets[r] = offsets[r] - begin;
  const Parts parts(block);
  if (block.narrow_columns)
    std::copy_n(reinterpret_cast<const std::uint16_t*>(block.at + parts.columns) + begin, end - begin, slot.columns);
  else
    std::copy_n(reinterpret_cast<const std::uint32_t*>(block.at + parts.columns) + begin, end - begin, slot.columns);
  if (slot.value_type == ValueType::f32)
    unpack_values_as(block, begin, end, slot.values_as<float>());
  else
    unpack_values_as(block, begin, end, slot.values_as<double>());
  slot.facts = block.facts;
  slot.rearranged = block.rearranged;
}

RowRange rows_within(const PackedBlock& block, std::int64_t first_row, std::int64_t max_nnz, std::int64_t max_rows) {
  const std::int32_t* offsets = block.offsets() + (first_row - block.rows.first);
  const std::int64_t most = std::min(block.rows.last - first_row, std::max<std::int64_t>(max_rows, 1));
  const std::int64_t ceiling = offsets[0] + max_nnz;
  const auto* past = std::upper_bound(offsets + 1, offsets + most + 1, ceiling);
  return {first_row, first_row + std::max<std::int64_t>(past - (offsets + 1), 1)};
}

}  // namespace quern
