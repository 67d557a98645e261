// One run of `quern aggregate`: what was asked for, what was found, and how it is told.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/group_sums.hpp"
#include "cli/session.hpp"
#include "cli/values_on.hpp"
#include "io/carry/new_cells.hpp"
#include "io/tables/text_output.hpp"

namespace quern::cli {

struct AggregateOptions {
  std::string by, func = "sum", on = "stored", output;
  bool no_provenance = false;
  std::int64_t test_slots = 0;
};

enum class GroupFunc { sum, mean, var, count_nonzero };
const char* name_of(GroupFunc func);

// The options, checked.
struct AggregatePlan {
  std::vector<std::string> by;
  std::vector<GroupFunc> funcs;  // in the order they were given
  ValuesOn on;
  bool writes_h5ad = false;
  GroupWants wants() const;
};

// Throws usage_error: "missing-option", "bad-value", "bad-number", "unknown-extension".
AggregatePlan check_options(const AggregateOptions& options);

// The finished sums, as numbers of each function.
struct GroupResults {
  const GroupFold& fold;
  const CellGroups& groups;
  bool whole_sums = false;  // sums are written as integers

  double real(GroupFunc func, std::int64_t group, std::int64_t gene) const;         // but for count_nonzero
  std::int64_t whole(GroupFunc func, std::int64_t group, std::int64_t gene) const;  // count_nonzero, and sums that are whole
  bool is_whole(GroupFunc func) const { return func == GroupFunc::count_nonzero || (func == GroupFunc::sum && whole_sums); }
};

io::NewCells aggregate_cells(const GroupResults& results, const std::vector<GroupFunc>& funcs);  // refers to both
// A line a gene, a column for each group; with several functions FUNC:GROUP, function after function.
void write_aggregate_table(const GroupResults& results, const std::vector<GroupFunc>& funcs, NameSource& names, io::TextOutput& out);
// Over n_obs_aggregated, then the groups' sum, mean, var, count_nonzero, group after group; empty what was not asked for.
std::string aggregate_digest(const GroupResults& results, const std::vector<GroupFunc>& funcs);

struct AggregateOutcome {
  MatrixShape shape;
  double target_sum = 0;
  std::int64_t n_ungrouped = 0, file_bytes = 0;
  RunReport run;
  ChunkFacts stored;
  std::string digest;
};

void warn_of_groups(const CellGroups& groups, const AggregateOutcome& outcome, const AggregatePlan& plan, Session& session);
void tell(const AggregateOutcome& outcome, const CellGroups& groups, const AggregateOptions& options, const AggregatePlan& plan,
          const std::string& matrix, Session& session);

}  // namespace quern::cli
