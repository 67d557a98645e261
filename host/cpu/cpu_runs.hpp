// The two kinds of pass of the CPU backend.
#pragma once
#include <algorithm>
#include <memory>

#include "host/core/backend.hpp"

namespace quern {

// What a run may use.
struct RunRoom {
  MemoryBudget& budget;
  int threads = 1;
  std::size_t reserved_bytes = 0;  // of the budget, for others
};

std::unique_ptr<Run> make_whole_run(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room);
std::unique_ptr<Run> make_real_run(const OpSpec& ops, const MatrixShape& shape, const RunRoom& room);

// Bytes of one private copy of the gene state, and of the results that come of all copies.
std::size_t whole_copy_bytes(const OpSpec& ops, const MatrixShape& shape);
std::size_t real_copy_bytes(const OpSpec& ops, const MatrixShape& shape);
std::size_t column_result_bytes(const OpSpec& ops, const MatrixShape& shape);

// Private copies of the gene state: one a thread as far as a quarter of what is left of the budget goes, at least one.
int affordable_copies(std::size_t copy_bytes, const RunRoom& room);

}  // namespace quern
