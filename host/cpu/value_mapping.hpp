// Totals of cells and normalised values, chunk by chunk, on the CPU. Every call is for one chunk and keeps nothing: any thread may make it.
#pragma once
#include <cstdint>
#include <span>

#include "host/core/csr_chunk.hpp"
#include "host/ops/value_map.hpp"

namespace quern {

// The sum of each row's values, exact for whole numbers (as long as a double holds it), else correctly rounded: totals[n_rows].
// `left_out` (empty: none) has n_cols entries; values of genes whose entry is not 0 do not count.
void row_totals(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> left_out, double* totals);

// out[i] = map(value i, divisor of its row), rounded once to float or double. `out` may be the chunk's own values if its type is no wider.
void map_values(const CsrChunkView<MemorySpace::host>& chunk, const double* divisors, const ValueMap& map, ValueType out_type, void* out);

// Replaces the values of a chunk by map(value, cell_divisor(total of its row, target)), each rounded once to `rounded` and then kept in
// the chunk's type, which is no narrower: what map_values would have written for the same totals. `values` are the chunk's own. Returns
// what is true of the new values; `whole` is never claimed, so that nothing done with them depends on where chunks begin.
ChunkFacts map_by_totals(const CsrChunkView<MemorySpace::host>& chunk, double target, const ValueMap& map, ValueType rounded, void* values);

// Sets seen[g] to 1 for every gene that in some row has more than `fraction` of the row's total.
void find_dominant_genes(const CsrChunkView<MemorySpace::host>& chunk, const double* totals, double fraction, std::span<std::uint8_t> seen);

}  // namespace quern
