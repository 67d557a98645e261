// What the host tells a kernel: plain data, pointers into device memory. The only types that both sides of a launch share.
#pragma once
#include <cstddef>
#include <cstdint>

#include "host/core/csr_chunk.hpp"
#include "host/ops/exact_sum.hpp"
#include "host/ops/value_map.hpp"

struct CUstream_st;

namespace quern::cuda {

using Stream = CUstream_st*;  // cudaStream_t, without the toolkit's headers

enum class ColumnCode : std::uint8_t { u16, u32 };
// How values lie on the device. u8: whole numbers 0 .. 254; u8_escape stands for one that is in the chunk's list of escapes.
enum class ValueCode : std::uint8_t { u8, f32, f64 };
constexpr std::uint8_t u8_escape = 255;

constexpr std::size_t size_of(ColumnCode code) { return code == ColumnCode::u16 ? 2 : 4; }
constexpr std::size_t size_of(ValueCode code) { return code == ValueCode::u8 ? 1 : code == ValueCode::f32 ? 4 : 8; }

// A value that does not fit its code: entry 0 .. nnz - 1 of the chunk. The list is ascending in `entry`.
struct Escape {
  std::int32_t entry;
  std::int32_t value;
};

// One chunk on the device: rows of ascending columns, validated by the host (every column < n_cols, offsets[0] == 0).
struct DeviceChunk {
  std::int32_t n_rows = 0, nnz = 0, n_escapes = 0;
  std::uint32_t n_cols = 0;
  ColumnCode column_code = ColumnCode::u32;
  ValueCode value_code = ValueCode::f32;
  bool may_have_zeros = true;  // false: every stored value is non-zero
  const std::int32_t* offsets = nullptr;
  const void* columns = nullptr;
  const void* values = nullptr;
  const Escape* escapes = nullptr;
};

// Row results, as in RowBlock (host/core/backend.hpp): 8-byte words hold an int64 in a whole pass, a double in a real one.
// Every word of the chunk's rows is written by the launch; nothing is zeroed before it.
struct DeviceRows {
  std::int32_t* n_nonzero = nullptr;
  std::uint64_t* totals = nullptr;
  std::uint64_t* top = nullptr;   // n_rows x n_top
  std::uint64_t* sets = nullptr;  // n_rows x n_sets
};

// What holds for a whole pass.
struct PassSpec {
  std::uint32_t n_cols = 0;
  std::int32_t n_top = 0, n_sets = 0;
  bool moments = false;
  bool whole = true;                         // exact integers; else exact sums of floats
  ValueType value_type = ValueType::f32;     // of the chunks before narrowing: decides the width of exact sums
  std::int32_t max_rows = 0, max_nnz = 0;    // of any chunk of the pass
  const std::int32_t* n_largest = nullptr;   // n_top ascending, each 1 .. n_cols
  const std::uint32_t* gene_sets = nullptr;  // n_cols bit sets; null when n_sets == 0
};

// Gene states, zeroed before the pass; folded by integer additions only, so that no order matters. Several chunks may be folded at once.
struct WholeGeneState {
  std::int64_t sum;
  std::uint64_t n_nonzero;
};

// A sum that may outgrow 64 bits: low += x & 0xffffffff, high += x >> 32 (arithmetic). Its value is high * 2^32 + low. Good for 2^31
// addends.
struct SplitSum {
  std::uint64_t low;
  std::int64_t high;
};

// Moments of one gene: squares of the values (whole passes only), log1p CPM on the grid of host/ops/gene_states.hpp.
struct MomentState {
  SplitSum squares, logs, log_squares;
  std::uint32_t flags;  // of the logs: 1 NaN, 2 +infinity, 4 -infinity
  std::uint32_t unused;
};

// The limbs and flags of an ExactSum, as host/ops/exact_sum.hpp lays them out.
template <class Sum>
struct LimbState {
  std::int64_t limbs[Sum::n_limbs];
  std::uint32_t flags;
  std::uint32_t unused;
};

template <class V>
struct RealGeneState {
  LimbState<typename ExactSums<V>::Sum> sum;
  std::uint64_t n_nonzero;
};

template <class V>
using SquareState = LimbState<typename ExactSums<V>::SquareSum>;

// Arrays of n_cols. Those that the pass does not need are null.
struct GeneTables {
  WholeGeneState* whole = nullptr;  // whole passes
  MomentState* moments = nullptr;   // with moments
  void* real = nullptr;             // RealGeneState<V>, real passes
  void* squares = nullptr;          // SquareState<V>, real passes with moments
};

// One chunk's work: everything that a pass computes of it.
struct ChunkJob {
  PassSpec pass;
  DeviceChunk chunk;
  DeviceRows rows;
  GeneTables genes;
  std::byte* scratch = nullptr;  // scratch_bytes(pass) bytes, 256-byte aligned, this lane's own, contents unspecified
};

// Normalised values of one chunk, in the order of its entries.
struct MapJob {
  DeviceChunk chunk;
  const double* divisors = nullptr;  // n_rows, in device memory
  ValueMap map;
  ValueType out_type = ValueType::f32;
  void* out = nullptr;  // nnz values of out_type, in device memory
};

// Rows of a chunk, written out as doubles in device memory.
struct DensifyJob {
  DeviceChunk chunk;
  double* tile = nullptr;  // n_rows x n_cols, zeroed
};

}  // namespace quern::cuda
