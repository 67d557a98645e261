// One pass that adds up genes over groups of cells: what `quern hvg` and `quern aggregate` have in common.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "host/core/memory.hpp"
#include "host/cpu/group_fold.hpp"
#include "host/pipeline/chunk_walk.hpp"
#include "io/input.hpp"

namespace quern::cli {

// Which cell belongs to which group.
struct CellGroups {
  std::vector<std::int32_t> of_cell;             // -1: of none; empty: all cells are of one group
  std::vector<std::int64_t> n_cells;             // of each group
  std::vector<std::string> columns;              // that the groups are made of
  std::vector<std::vector<std::string>> levels;  // of each column: those that some cell has, in their order
  std::vector<std::vector<std::int32_t>> codes;  // of each column: the level of each group
  std::vector<Claim> claims;
  std::int64_t n_groups() const { return static_cast<std::int64_t>(n_cells.size()); }
  std::string name(std::size_t group) const;  // its levels, joined with _
};

// The columns a,b of `option` split; usage_error("bad-value") when one is empty or comes twice.
std::vector<std::string> split_columns(const std::string& text, const std::string& option);
// Groups of cells that have a label in every column; a combination that no cell has is no group. Ordered by the levels of the first column,
// then of the next. Claims 4 bytes a cell and column, 12 more a cell where there are several, and the levels. usage_error:
// "no-such-column", "numeric-labels"; input_error("no-labels").
CellGroups read_groups(io::Input& input, const std::vector<std::string>& columns, const std::string& option, MemoryBudget& budget);
// All cells in one group.
CellGroups one_group(std::int64_t n_cells);

// Throws resource_error("over-budget") with what the whole run would need, where the sums do not fit.
void require_room_for_sums(const CellGroups& groups, GroupWants wants, ChunkSource& source, const MemoryBudget& budget,
                           const PipelineOptions& options);

// Adds every chunk to `fold`. With an exponent, each value x is first replaced by exp(x * log_of_base) - 1.
class FoldGroups final : public ChunkWork {
 public:
  FoldGroups(GroupFold& fold, const CellGroups& groups, double log_of_base = 0) : fold_(fold), groups_(groups), log_of_base_(log_of_base) {}
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot& slot) override;
  void restart() { fold_.restart(); }

 private:
  GroupFold& fold_;
  const CellGroups& groups_;
  double log_of_base_;  // 0: values stay
};

// Walks until the values fit: with values of `type`, then, where that is not wide enough, of 64 bits.
RunReport fold_groups(ChunkSource& source, ValueType type, FoldGroups& work, MemoryBudget& budget, const PipelineOptions& options);

}  // namespace quern::cli
