#include "cli/group_sums.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "cli/sizes.hpp"
#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/ops/expm1_log.hpp"

namespace quern::cli {
namespace {

template <class V>
void undo_logarithms(V* values, std::int32_t n, double log_of_base) {
  for (std::int32_t i = 0; i < n; ++i) values[i] = static_cast<V>(expm1_exact_order(static_cast<double>(values[i]) * log_of_base));
}

}  // namespace

CellGroups one_group(std::int64_t n_cells) {
  CellGroups groups;
  groups.n_cells = {n_cells};
  return groups;
}

void require_room_for_sums(const CellGroups& groups, GroupWants wants, ChunkSource& source, const MemoryBudget& budget,
                           const PipelineOptions& options) {
  const std::size_t bytes = GroupFold::bytes(groups.n_groups(), source.shape().n_cols, wants), left = budget.available();
  if (bytes <= left) return;
  constexpr std::size_t too_much = std::size_t{1} << 40;
  std::string hint = "make fewer groups";
  if (bytes < too_much) {
    OpSpec ops;
    ops.value_type = source.natural_value_type();
    const std::size_t least = least_budget(source, *make_cpu_backend(1), ops, budget.limit() - left + bytes, options);
    if (least < too_much) hint = fmt::format("give --memory {}MiB or more", least >> 20);
  }
  throw resource_error("over-budget", "--memory",
                       fmt::format("the sums of {} groups of cells over {} genes need {}; {} of the budget are left",
                                   format_count(groups.n_groups()), format_count(source.shape().n_cols), size_text(bytes), size_text(left)),
                       hint);
}

void FoldGroups::compute(ChunkSlot& slot) {
  if (log_of_base_ == 0) return;
  const std::int32_t n = slot.chunk.offsets[slot.chunk.rows.size()];
  if (slot.chunk.value_type == ValueType::f32)
    undo_logarithms(slot.chunk.values_as<float>(), n, log_of_base_);
  else
    undo_logarithms(slot.chunk.values_as<double>(), n, log_of_base_);
}

void FoldGroups::hand_on(ChunkSlot& slot) {
  CsrChunkView<MemorySpace::host> chunk = view_of(slot.chunk, fold_.n_genes());
  if (log_of_base_ != 0) chunk.facts.whole = false;
  std::span<const std::int32_t> of_cell = groups_.of_cell;
  if (!of_cell.empty()) of_cell = of_cell.subspan(static_cast<std::size_t>(slot.chunk.rows.first), static_cast<std::size_t>(chunk.n_rows));
  fold_.add(chunk, of_cell);
}

RunReport fold_groups(ChunkSource& source, ValueType type, FoldGroups& work, MemoryBudget& budget, const PipelineOptions& options) {
  try {
    return walk_chunks(source, type, work, pageable_memory(), budget, options);
  } catch (const NeedsWiderValues&) {
    work.restart();
    return walk_chunks(source, ValueType::f64, work, pageable_memory(), budget, options);
  }
}

}  // namespace quern::cli
