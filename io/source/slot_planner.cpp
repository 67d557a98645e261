#include "io/source/slot_planner.hpp"

#include <algorithm>
#include <limits>

namespace quern::io {
namespace {

constexpr std::size_t results_per_row = 384;  // row results of a run with everything turned on
constexpr std::size_t alignment_slack = 256;  // the ring aligns each array of a slot

std::size_t row_bytes(const RowCost& cost, const ChunkTargets& targets) {
  const std::size_t entry_bytes = sizeof(std::uint32_t) + size_of(targets.value_type);
  return static_cast<std::size_t>(cost.max_row_nnz) * entry_bytes + sizeof(std::int32_t) + targets.bytes_per_row + results_per_row +
         cost.staging_bytes_per_row;
}

std::size_t fixed_bytes(const RowCost& cost) { return cost.staging_bytes + cost.pending_bytes + sizeof(std::int32_t) + alignment_slack; }

}  // namespace

std::size_t slot_bytes(std::int64_t rows, const RowCost& cost, const ChunkTargets& targets) {
  return static_cast<std::size_t>(rows) * row_bytes(cost, targets) + fixed_bytes(cost);
}

std::int64_t wanted_rows(const RowCost& cost, const ChunkTargets& targets, std::int64_t most) {
  const std::int64_t width = std::max<std::int64_t>(1, cost.max_row_nnz);
  const std::int64_t addressable = std::numeric_limits<std::int32_t>::max() / width;
  return std::max<std::int64_t>(1, std::min({targets.chunk_nnz / width, most, targets.max_rows, addressable}));
}

std::int64_t fitting_rows(std::int64_t wanted, const RowCost& cost, const ChunkTargets& targets, std::size_t shared_bytes) {
  if (shared_bytes > targets.budget_bytes) return 0;
  const std::size_t each = (targets.budget_bytes - shared_bytes) / static_cast<std::size_t>(std::max(1, targets.n_slots));
  if (each < fixed_bytes(cost)) return 0;
  const std::size_t rows = (each - fixed_bytes(cost)) / row_bytes(cost, targets);
  return static_cast<std::int64_t>(std::min(rows, static_cast<std::size_t>(wanted)));
}

Error over_budget(const std::string& object, const std::string& what, std::size_t least_bytes, const ChunkTargets& targets,
                  std::size_t limit_bytes) {
  const auto mebibytes = [](std::size_t bytes) { return std::to_string((bytes >> 20) + 1) + " MiB"; };
  const std::size_t elsewhere = limit_bytes - std::min(limit_bytes, targets.budget_bytes);
  return resource_error(
      "over-budget", object,
      what + " needs " + mebibytes(least_bytes) + "; " + mebibytes(targets.budget_bytes) + " of the budget are left for it",
      "give --memory " + std::to_string(((least_bytes + elsewhere) >> 20) + 2) + "MiB or more");
}

}  // namespace quern::io
