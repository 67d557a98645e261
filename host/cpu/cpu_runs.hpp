// The two kinds of pass of the CPU backend.
#pragma once
#include <algorithm>
#include <memory>

#include "host/core/backend.hpp"

namespace quern {

std::unique_ptr<Run> make_whole_run(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, int threads);
std::unique_ptr<Run> make_real_run(const OpSpec& ops, const MatrixShape& shape, MemoryBudget& budget, int threads);

// Bytes of one private copy of the gene state.
std::size_t whole_copy_bytes(const OpSpec& ops, const MatrixShape& shape);
std::size_t real_copy_bytes(const OpSpec& ops, const MatrixShape& shape);

// Private copies of the gene state: one a thread as far as a quarter of what is left of the budget goes, at least one.
inline int affordable_copies(std::size_t copy_bytes, const MemoryBudget& budget, int threads) {
  const std::size_t affordable = budget.available() / 4 / std::max<std::size_t>(copy_bytes, 1);
  return static_cast<int>(std::clamp<std::size_t>(affordable, 1, static_cast<std::size_t>(threads)));
}

}  // namespace quern
