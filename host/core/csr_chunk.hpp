// What a backend sees of a chunk: whole rows (cells) of a CSR matrix, validated at the border.
#pragma once
#include <cstdint>

namespace quern {

enum class MemorySpace { host, device };
enum class ValueType : std::uint8_t { f32, f64 };

constexpr std::size_t size_of(ValueType type) { return type == ValueType::f32 ? 4 : 8; }

// What validation learned of a chunk's stored values. Every value is covered, before any kernel sees the chunk.
struct ChunkFacts {
  bool whole = true;      // every value is a whole number with |x| < 2^31
  bool has_zero = false;  // explicit zeros
  bool has_negative = false;
  bool has_nan = false;
  bool has_infinity = false;
  double max_abs = 0;  // of the finite values

  void merge(const ChunkFacts& other) {
    whole = whole && other.whole;
    has_zero = has_zero || other.has_zero;
    has_negative = has_negative || other.has_negative;
    has_nan = has_nan || other.has_nan;
    has_infinity = has_infinity || other.has_infinity;
    if (other.max_abs > max_abs) max_abs = other.max_abs;
  }
};

// Non-owning, trivially copyable. Row r (0-based in the chunk) holds entries offsets[r] .. offsets[r + 1], columns strictly ascending
// (sorted, duplicates summed), every column < n_cols. Valid until the lease it came from is returned.
template <MemorySpace Space>
struct CsrChunkView {
  std::int64_t first_row = 0;  // global number of row 0
  std::int32_t n_rows = 0;
  std::int64_t n_cols = 0;
  const std::int32_t* offsets = nullptr;  // n_rows + 1, offsets[0] == 0
  const std::uint32_t* columns = nullptr;
  const void* values = nullptr;
  ValueType value_type = ValueType::f32;
  ChunkFacts facts;
  bool overwritable = false;  // nobody wants columns and values after the run has seen them: it may narrow them in place

  std::int32_t nnz() const { return offsets[n_rows]; }
  template <class V>
  const V* values_as() const {
    static_assert(sizeof(V) == 4 || sizeof(V) == 8);
    return static_cast<const V*>(values);
  }
};

}  // namespace quern
