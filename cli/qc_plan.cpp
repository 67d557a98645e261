#include <fmt/format.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "cli/qc_run.hpp"
#include "cli/sizes.hpp"

namespace quern::cli {
namespace {

// What the source keeps besides the ring where the budget allows.
struct Turned {
  Turned(const PipelinePlan& plan, std::size_t left)
      : bytes(plan.source.kept_bytes), in_memory(plan.source.kept_bytes + plan.source.spare_bytes <= left) {}
  std::size_t bytes;
  bool in_memory;
  std::size_t claimed() const { return in_memory ? bytes : 0; }
};

std::string memory_table(const std::vector<MemoryBudget::Row>& rows, const PipelinePlan& plan, std::size_t tables, const Turned& turned) {
  std::string text = "memory\n";
  const auto line = [&text](const std::string& what, std::size_t bytes) {
    text += fmt::format("  {:<38} {:>10}\n", what, format_size(bytes));
  };
  for (const MemoryBudget::Row& row : rows)
    if (row.bytes > 0) line(row.what, row.bytes);
  line(fmt::format("ring: {} slots of {}", plan.n_slots, format_size(plan.slot_bytes)), plan.ring_bytes);
  line("gene tables", tables);
  if (turned.bytes > 0) line(turned.in_memory ? "matrix turned to rows" : "matrix turned to rows (temporary file)", turned.bytes);
  return text;
}

struct Least {
  std::size_t whole, any;  // for whole numbers as the file's values most likely are, and for all that they may turn out to be
};

Least find_least(ChunkSource& source, const Backend& backend, OpSpec ops, std::size_t kept, const PipelineOptions& pipeline) {
  ops.integer_mode = true;
  ops.value_type = source.natural_value_type();
  const std::size_t whole = least_budget(source, backend, ops, kept, pipeline);
  ops.integer_mode = false;
  ops.value_type = ValueType::f64;
  return {whole, std::max(whole, least_budget(source, backend, ops, kept, pipeline))};
}

}  // namespace

void tell_plan(ChunkSource& source, const Backend& backend, const OpSpec& ops, const MemoryBudget& budget, const PipelineOptions& pipeline,
               const QcOptions& options, Session& session) {
  const std::size_t kept = budget.limit() - budget.available(), tables = backend.least_bytes(ops, source.shape());
  const Least least = find_least(source, backend, ops, kept, pipeline);
  // What the run would do, or, where it would refuse, with the least that will do.
  MemoryBudget planned(std::max(budget.limit(), least.whole));
  const Claim elsewhere = planned.claim("gene tables", kept + tables);
  const PipelinePlan plan = plan_pipeline(source, ops, planned, pipeline);
  const std::size_t taken = kept + tables + plan.ring_bytes;
  const Turned turned(plan, planned.limit() - std::min(planned.limit(), taken));
  const std::size_t needed = taken + turned.claimed();
  if (least.whole > budget.limit()) session.warn("over-budget", fmt::format("this run needs --memory {}MiB or more", least.whole >> 20));
  std::vector<std::string> outputs;
  for (const std::string& path : {options.cells_out, options.genes_out, options.h5ad_out, session.options.json})
    if (!path.empty()) outputs.push_back(path);
  session.report.result()["plan"] = {{"passes", 1},
                                     {"passes_at_most", 3},
                                     {"chunks", plan.source.n_chunks},
                                     {"threads", plan.threads},
                                     {"slots", plan.n_slots},
                                     {"slot_bytes", plan.slot_bytes},
                                     {"ring_bytes", plan.ring_bytes},
                                     {"turned_bytes", turned.bytes},
                                     {"turned_in_memory", turned.in_memory},
                                     {"needed_bytes", needed},
                                     {"least_bytes", least.any},
                                     {"least_whole_bytes", least.whole},
                                     {"budget_bytes", budget.limit()},
                                     {"outputs", outputs}};
  session.say(
      fmt::format("plan\n  {} chunks, {} threads; one pass, or up to three when values turn out not to be whole numbers that fit float32\n",
                  format_count(plan.source.n_chunks), plan.threads));
  session.say(memory_table(budget.table(), plan, tables, turned));
  for (const auto& [what, bytes] : {std::pair{"needed", needed},
                                    {"--memory", budget.limit()},
                                    {"least, for whole numbers", least.whole},
                                    {"least, whatever the values", least.any}})
    session.say(fmt::format("  {:<38} {:>10}\n", what, format_size(bytes)));
  session.say(outputs.empty() ? "outputs: none\n" : fmt::format("outputs: {}\n", printable(fmt::format("{}", fmt::join(outputs, ", ")))));
}

}  // namespace quern::cli
