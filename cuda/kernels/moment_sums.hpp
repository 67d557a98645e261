// Additions to the moments of a gene in global memory.
#pragma once
#include "cuda/device/device.hpp"
#include "cuda/kernels/chunk_args.hpp"
#include "host/ops/gene_states.hpp"

namespace quern::cuda {

// Half a word at a time, so that nothing overflows; halves that are zero cost nothing.
QUERN_DEVICE void add_split(SplitSum* sum, std::int64_t value) {
  const auto low = static_cast<std::uint64_t>(value) & 0xffffffffU;
  const std::int64_t high = value >> 32;
  if (low) atomic_add(&sum->low, 0, low);
  if (high) atomic_add(&sum->high, 0, high);
}

QUERN_DEVICE void add_log(MomentState* moments, const GridLog& log) {
  add_split(&moments->logs, log.value);
  add_split(&moments->log_squares, log.square);
  if (log.flags) atomic_or(&moments->flags, 0, log.flags);
}

}  // namespace quern::cuda
