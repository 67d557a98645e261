#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "cli/convert_run.hpp"
#include "cli/sizes.hpp"

namespace quern::cli {

ConvertPlan check_options(const ConvertOptions& options) {
  ConvertPlan plan;
  plan.compression = io::parse_compression(options.compression.empty() ? "gzip:1" : options.compression);
  plan.chunk_length = options.chunk;
  if (options.dtype != "keep") plan.dtype = options.dtype;
  plan.keeps_chunks = options.compression.empty() && options.chunk == 0;
  return plan;
}

std::string usual_type(const io::FileInfo& info, const io::MatrixInfo& matrix) {
  const bool narrow = info.format != io::Format::h5ad || matrix.data.type == "float16";
  return narrow ? "float32" : matrix.data.type;
}

void tell(const ConvertOutcome& outcome, const ConvertOptions& options, const std::string& matrix, Session& session) {
  const bool has_x = !outcome.value_type.empty();
  const auto if_x = [has_x](const Json& value) { return has_x ? value : Json(); };
  const auto how = [&](bool copied) { return if_x(copied ? "copied" : "written"); };
  session.report.result() = {{"n_obs", outcome.shape.n_rows},
                             {"n_vars", outcome.shape.n_cols},
                             {"nnz", outcome.nnz},
                             {"format", outcome.format},
                             {"value_type", if_x(outcome.value_type)},
                             {"data", how(outcome.copied_data)},
                             {"indices", how(outcome.copied_indices)},
                             {"path", options.output},
                             {"file_bytes", outcome.file_bytes}};
  if (has_x) session.report.set_digest(outcome.digest);
  const auto line = [&](const std::string& what, const std::string& value) { session.say(fmt::format("  {:<18} {}\n", what, value)); };
  session.say(fmt::format("{}, {}: {} cells x {} genes, {} stored values\n", printable(session.options.input), printable(matrix),
                          format_count(outcome.shape.n_rows), format_count(outcome.shape.n_cols), format_count(outcome.nnz)));
  if (has_x) line("values", fmt::format("{}, {}", outcome.value_type, outcome.copied_data ? "stored chunks copied" : "written anew"));
  const RunReport& run = outcome.run;
  line("run", fmt::format("{}, {} {}, {} {}", format_seconds(run.seconds), run.threads, run.threads == 1 ? "thread" : "threads", run.passes,
                          run.passes == 1 ? "pass" : "passes"));
  line("written",
       fmt::format("{}, {}, {}", printable(options.output), outcome.format, format_size(static_cast<std::uint64_t>(outcome.file_bytes))));
}

void tell_plan(const ConvertOptions& options, const PipelinePlan& ring, const MemoryBudget& budget, Session& session) {
  const std::size_t kept = budget.limit() - budget.available();
  std::vector<std::string> outputs{options.output};
  if (!session.options.json.empty()) outputs.push_back(session.options.json);
  session.report.result()["plan"] = {{"passes", 1},
                                     {"chunks", ring.source.n_chunks},
                                     {"threads", ring.threads},
                                     {"slots", ring.n_slots},
                                     {"slot_bytes", ring.slot_bytes},
                                     {"ring_bytes", ring.ring_bytes},
                                     {"needed_bytes", kept + ring.ring_bytes},
                                     {"budget_bytes", budget.limit()},
                                     {"outputs", outputs}};
  session.say(fmt::format("plan\n  1 pass over {} chunks, {} threads\n", format_count(ring.source.n_chunks), ring.threads));
  session.say(fmt::format("  {:<38} {:>10}\n  {:<38} {:>10}\n  {:<38} {:>10}\n", "kept and for writing", format_size(kept),
                          fmt::format("ring: {} slots of {}", ring.n_slots, format_size(ring.slot_bytes)), format_size(ring.ring_bytes),
                          "--memory", format_size(budget.limit())));
  session.say(fmt::format("outputs: {}\n", printable(fmt::format("{}", fmt::join(outputs, ", ")))));
}

}  // namespace quern::cli
