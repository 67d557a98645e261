// What every verb that streams a matrix does the same way.
#pragma once
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>

#include "cli/backends.hpp"
#include "cli/session.hpp"
#include "host/core/error.hpp"
#include "host/core/memory.hpp"
#include "host/pipeline/packed_cache.hpp"
#include "host/pipeline/pipeline.hpp"

namespace quern::cli {

// Threads, size of chunks, stopping on a signal, progress over n_rows rows. test_slots above 0 is for the tests: so few slots, each
// overwritten when it comes back, so that whoever still reads it is found out.
PipelineOptions streaming_options(Session& session, std::int64_t n_rows, std::int64_t test_slots);

// Says in the report, and with --verbose, what computes and why; a device that was refused is a warning.
void tell_choice(const BackendChoice& choice, Session& session);
// After the run: a backend may have changed its mind, and has warnings of its own.
void tell_backend(const Backend& backend, Session& session);

// Bytes that may keep what a pass decodes for the passes after it, once `source` has been opened: half of what is left, and so that two
// more rings fit beside it, and 32 bytes for each of n_rows. 0 where another pass costs little.
std::size_t room_for_cache(ChunkSource& source, ValueType type, const MemoryBudget& budget, const PipelineOptions& options);
// The source, behind a cache where there is room for one. `cache` is set to it, else null.
std::unique_ptr<ChunkSource> keep_for_later(std::unique_ptr<ChunkSource> source, ValueType type, MemoryBudget& budget,
                                            const PipelineOptions& options, const PackedCache*& cache);

CacheFacts facts_of(const PackedCache& cache);  // after the last pass

// Adds what another walk over the matrix took; facts stay those of `all`.
void add(RunReport& all, const RunReport& walk);

// What the report says of a run, without what only some verbs know.
RunFacts facts_of(const RunReport& run, const MemoryBudget& budget);
RunFacts facts_of(const RunReport& run, const MemoryBudget& budget, const BackendChoice& choice);  // and of its device
void note_memory(const MemoryBudget& budget, Session& session);                                    // with --verbose: who claimed how much

// The budget of a verb's run; a dry run is opened whatever the memory, and then told what it would need.
std::size_t run_budget(const Session& session);

// A session like this one for a dry run of which nothing is heard or seen.
void copy_for_advice(const Session& session, Session& silent);
// The same error with the advice to give so much memory, if that is more than was given.
Error with_least_memory(const Error& error, std::size_t bytes, const Session& session);

template <class Run>
concept KnowsLeastMemory = requires(Run& run) {
  { run.least_bytes() } -> std::convertible_to<std::size_t>;  // after open: the least --memory that will do
};

// The life of a verb's run: opened, then told (--dry-run) or done. What did not fit is refused with the memory that would do for all of
// the run, not only for what failed.
template <class Run, class Options>
void open_and_run(const Options& options, Session& session) {
  std::optional<Error> refused;
  try {
    Run run(options, session);
    run.open();
    if (session.options.dry_run)
      run.plan();
    else
      run.compute();
    return;
  } catch (const Error& error) {
    if (!KnowsLeastMemory<Run> || (error.code() != "over-budget" && error.code() != "chunk-too-large")) throw;
    refused.emplace(error);
  }
  if constexpr (KnowsLeastMemory<Run>) {
    Session silent("");
    copy_for_advice(session, silent);
    Run run(options, silent);
    run.open();
    throw with_least_memory(*refused, run.least_bytes(), session);
  }
}

}  // namespace quern::cli
