#include "host/cpu/cpu_runs.hpp"

#include "host/ops/op_spec.hpp"

namespace quern {

std::size_t column_result_bytes(const OpSpec& ops, const MatrixShape& shape) {
  const std::size_t per_gene = sizeof(std::int64_t) + sizeof(Total) + (ops.columns.moments ? 4 * sizeof(double) : 0);
  return static_cast<std::size_t>(shape.n_cols) * per_gene;
}

int affordable_copies(std::size_t copy_bytes, const RunRoom& room) {
  const std::size_t available = room.budget.available();
  const std::size_t unreserved = available - std::min(available, room.reserved_bytes);
  const std::size_t affordable = std::min(available / 4, unreserved) / std::max<std::size_t>(copy_bytes, 1);
  return static_cast<int>(std::clamp<std::size_t>(affordable, 1, static_cast<std::size_t>(room.threads)));
}

}  // namespace quern
