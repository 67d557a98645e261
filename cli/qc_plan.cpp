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

}  // namespace

void tell_plan(ChunkSource& source, const Backend& backend, const OpSpec& ops, const MemoryBudget& budget, const PipelineOptions& pipeline,
               const QcOptions& options, Session& session) {
  const PipelinePlan plan = plan_pipeline(source, ops, budget, pipeline);
  const std::size_t kept = budget.limit() - budget.available();
  const std::size_t tables = backend.least_bytes(ops, source.shape());
  const std::size_t taken = kept + plan.ring_bytes + tables;
  const Turned turned(plan, budget.limit() - std::min(budget.limit(), taken));
  const std::size_t needed = taken + turned.claimed(), least = kept + least_pipeline_bytes(source, backend, ops, pipeline);
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
                                     {"least_bytes", least},
                                     {"budget_bytes", budget.limit()},
                                     {"outputs", outputs}};
  session.say(
      fmt::format("plan\n  {} chunks, {} threads; one pass, or up to three when values turn out not to be whole numbers that fit float32\n",
                  format_count(plan.source.n_chunks), plan.threads));
  session.say(memory_table(budget.table(), plan, tables, turned));
  session.say(fmt::format("  {:<38} {:>10}\n  {:<38} {:>10}\n  {:<38} {:>10}\n", "needed", format_size(needed), "--memory",
                          format_size(budget.limit()), "least, whatever the values", format_size(least)));
  session.say(outputs.empty() ? "outputs: none\n" : fmt::format("outputs: {}\n", printable(fmt::format("{}", fmt::join(outputs, ", ")))));
}

}  // namespace quern::cli
