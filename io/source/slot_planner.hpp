// How many rows a slot can hold when every row may be as long as the matrix is wide.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "host/core/chunk_source.hpp"
#include "host/core/error.hpp"

namespace quern::io {

// Where more slots do not fit, a plan for the least memory is made and whoever asked tries fewer; with this few, over_budget is thrown.
constexpr int least_slots = 2;

struct RowCost {
  std::int64_t max_row_nnz = 0;   // entries a row can have
  std::size_t staging_bytes = 0;  // a slot's, whatever its rows
  std::size_t pending_bytes = 0;
  std::size_t staging_bytes_per_row = 0;
};

// Bytes one slot of `rows` rows takes, what the run keeps in it included.
std::size_t slot_bytes(std::int64_t rows, const RowCost& cost, const ChunkTargets& targets);

// Rows a slot should hold by chunk_nnz, at most `most`; at least 1.
std::int64_t wanted_rows(const RowCost& cost, const ChunkTargets& targets, std::int64_t most);

// The most rows up to `wanted` for which n_slots slots and `shared_bytes` fit the budget; 0 when one row does not.
std::int64_t fitting_rows(std::int64_t wanted, const RowCost& cost, const ChunkTargets& targets, std::size_t shared_bytes);

// What to throw when not even `least_bytes` (for slots and what they share) are there. `limit_bytes` is the whole run's budget.
Error over_budget(const std::string& object, const std::string& what, std::size_t least_bytes, const ChunkTargets& targets,
                  std::size_t limit_bytes);

}  // namespace quern::io
