#include "cli/streaming.hpp"

#include <algorithm>

#include "cli/signals.hpp"

namespace quern::cli {

PipelineOptions streaming_options(Session& session, std::int64_t n_rows, std::int64_t test_slots) {
  PipelineOptions options;
  options.threads = session.options.threads;
  options.chunk_nnz = session.options.chunk_nnz;
  if (test_slots > 0) {
    options.n_slots = static_cast<int>(std::min<std::int64_t>(test_slots, 4096));
    options.poison = true;
  }
  options.stop = &stop_flag();
  options.progress = [&session, n_rows](std::int64_t rows, std::int64_t values) { session.console.progress(rows, n_rows, values); };
  return options;
}

void tell_choice(const BackendChoice& choice, Session& session) {
  session.report.set_backend(choice.backend->name(), choice.backend->device());
  session.console.note("backend " + choice.backend->name() + ": " + choice.reason);
  if (choice.device_refused) session.warn("fell-back", "computed by " + choice.backend->name() + ", since " + choice.reason);
}

void tell_backend(const Backend& backend, Session& session) {
  session.report.set_backend(backend.name(), backend.device());
  for (const BackendWarning& warning : backend.warnings()) session.warn(warning.code, warning.text);
}

void add(RunReport& all, const RunReport& walk) {
  all.threads = walk.threads;
  all.passes += walk.passes;
  all.chunks += walk.chunks;
  all.bytes_read += walk.bytes_read;
  all.nnz += walk.nnz;
  all.seconds += walk.seconds;
}

RunFacts facts_of(const RunReport& run, const MemoryBudget& budget) {
  RunFacts facts;
  facts.threads = run.threads;
  facts.passes = run.passes;
  facts.chunks = run.chunks;
  facts.bytes_read = run.bytes_read;
  facts.values = run.nnz;
  facts.budget_bytes = budget.limit();
  facts.compute_seconds = run.seconds;
  facts.seconds = {{"compute", run.seconds}};
  return facts;
}

void note_memory(const MemoryBudget& budget, Session& session) {
  for (const MemoryBudget::Row& row : budget.table())
    session.console.note("memory: " + row.what + " " + std::to_string(row.peak_bytes) + " bytes at most");
}

}  // namespace quern::cli
