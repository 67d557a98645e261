#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/qc_run.hpp"
#include "cli/sizes.hpp"

namespace quern::cli {
namespace {

std::string memory_table(const std::vector<MemoryBudget::Row>& rows, const PipelinePlan& plan, std::size_t tables) {
  std::string text = "memory\n";
  const auto line = [&text](const std::string& what, std::size_t bytes) {
    text += fmt::format("  {:<38} {:>10}\n", what, format_size(bytes));
  };
  for (const MemoryBudget::Row& row : rows)
    if (row.bytes > 0) line(row.what, row.bytes);
  line(fmt::format("ring: {} slots of {}", plan.n_slots, format_size(plan.slot_bytes)), plan.ring_bytes);
  line("gene tables", tables);
  return text;
}

}  // namespace

void tell_plan(ChunkSource& source, const Backend& backend, const OpSpec& ops, const MemoryBudget& budget, const PipelineOptions& pipeline,
               const QcOptions& options, Session& session) {
  const PipelinePlan plan = plan_pipeline(source, ops, budget, pipeline);
  const std::size_t kept = budget.limit() - budget.available();
  const std::size_t tables = backend.least_bytes(ops, source.shape());
  const std::size_t needed = kept + plan.ring_bytes + tables, least = kept + least_pipeline_bytes(source, backend, ops, pipeline);
  std::vector<std::string> outputs;
  for (const std::string& path : {options.cells_out, options.genes_out, session.options.json})
    if (!path.empty()) outputs.push_back(path);
  session.report.result()["plan"] = {{"passes", 1},
                                     {"passes_at_most", 3},
                                     {"chunks", plan.source.n_chunks},
                                     {"threads", plan.threads},
                                     {"slots", plan.n_slots},
                                     {"slot_bytes", plan.slot_bytes},
                                     {"ring_bytes", plan.ring_bytes},
                                     {"needed_bytes", needed},
                                     {"least_bytes", least},
                                     {"budget_bytes", budget.limit()},
                                     {"outputs", outputs}};
  session.say(
      fmt::format("plan\n  {} chunks, {} threads; one pass, or up to three when values turn out not to be whole numbers that fit float32\n",
                  format_count(plan.source.n_chunks), plan.threads));
  session.say(memory_table(budget.table(), plan, tables));
  session.say(fmt::format("  {:<38} {:>10}\n  {:<38} {:>10}\n  {:<38} {:>10}\n", "needed", format_size(needed), "--memory",
                          format_size(budget.limit()), "least, whatever the values", format_size(least)));
  session.say(outputs.empty() ? "outputs: none\n" : fmt::format("outputs: {}\n", printable(fmt::format("{}", fmt::join(outputs, ", ")))));
}

}  // namespace quern::cli
