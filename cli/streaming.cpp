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

std::size_t room_for_cache(ChunkSource& source, ValueType type, const MemoryBudget& budget, const PipelineOptions& options) {
  if (source.reads_fast()) return 0;
  OpSpec ops;
  ops.value_type = type;
  constexpr std::size_t bytes_per_row = 32;
  const auto n_rows = static_cast<std::size_t>(source.shape().n_rows);
  const std::size_t others = 2 * plan_pipeline(source, ops, budget, options).ring_bytes + (std::size_t{16} << 20) + n_rows * bytes_per_row;
  const std::size_t available = budget.available();
  return std::min(available / 2, available - std::min(available, others));
}

std::unique_ptr<ChunkSource> keep_for_later(std::unique_ptr<ChunkSource> source, ValueType type, MemoryBudget& budget,
                                            const PipelineOptions& options, const PackedCache*& cache) {
  cache = nullptr;
  const std::size_t room = room_for_cache(*source, type, budget, options);
  if (room == 0) return source;
  auto made = std::make_unique<PackedCache>(std::move(source), budget, room);
  cache = made.get();
  return made;
}

CacheFacts facts_of(const PackedCache& cache) { return {cache.rows_kept(), static_cast<std::int64_t>(cache.bytes_kept())}; }

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

RunFacts facts_of(const RunReport& run, const MemoryBudget& budget, const BackendChoice& choice) {
  RunFacts facts = facts_of(run, budget);
  const DeviceTraffic traffic = choice.backend->device_traffic();
  facts.peak_device_bytes = choice.backend->peak_device_bytes();
  facts.bytes_to_device = traffic.bytes_to_device;
  facts.verified_chunks = choice.verified->verified;
  facts.seconds.emplace_back("device", traffic.seconds);
  return facts;
}

std::size_t run_budget(const Session& session) {
  constexpr std::size_t plenty = std::size_t{1} << 40;
  return session.options.dry_run ? plenty : session.options.memory_bytes;
}

void copy_for_advice(const Session& session, Session& silent) {
  silent.options = session.options;
  silent.options.dry_run = true;
  silent.inputs = session.inputs;
  silent.console.configure({true, false, {}, "never", "never"});
}

Error with_least_memory(const Error& error, std::size_t bytes, const Session& session) {
  constexpr std::size_t beyond_all = std::size_t{1} << 40;  // then more memory is not what is missing
  if (bytes >= beyond_all || bytes <= session.options.memory_bytes) return error;
  Error advised(error.kind(), error.code(), error.object(), error.what(), "give --memory " + std::to_string(bytes >> 20) + "MiB or more");
  if (!error.path().empty()) advised.in_file(error.path());
  return advised;
}

void note_memory(const MemoryBudget& budget, Session& session) {
  for (const MemoryBudget::Row& row : budget.table())
    session.console.note("memory: " + row.what + " " + std::to_string(row.peak_bytes) + " bytes at most");
}

}  // namespace quern::cli
