// A run of rows as it travels to a device: 16-bit columns and 8-bit counts where the data allow.
#pragma once
#include <cstdint>
#include <span>

#include "cuda/kernels/chunk_args.hpp"
#include "host/core/csr_chunk.hpp"

namespace quern::cuda {

struct Wire {
  ColumnCode column_code = ColumnCode::u32;
  ValueCode value_code = ValueCode::f32;
  const void* columns = nullptr;
  const void* values = nullptr;
  std::int32_t n_escapes = 0;
};

inline ColumnCode column_code_of(std::int64_t n_cols) { return n_cols <= 65536 ? ColumnCode::u16 : ColumnCode::u32; }

// Entries begin .. end of the chunk. Where the chunk's arrays may be overwritten they are narrowed in place (3 bytes an entry instead of 8:
// the link is the narrowest place of the path); else they travel as they are. Values that are no counts below 255 go into `escapes`; where
// those do not suffice, values stay floats. `whole`: every value is a whole number below 2^31.
Wire make_wire(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin, std::int32_t end, bool whole, std::span<Escape> escapes);

// The same without columns, which stay as they are.
Wire make_value_wire(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t begin, std::int32_t end, bool whole,
                     std::span<Escape> escapes);

}  // namespace quern::cuda
