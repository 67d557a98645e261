// Reads, decodes, computes and hands on, chunk by chunk, within the budget. Owns threads, cancellation, first-error-wins, restarts.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>

#include "host/core/backend.hpp"
#include "host/core/chunk_source.hpp"
#include "host/core/sink.hpp"
#include "host/ops/op_spec.hpp"

namespace quern {

struct PipelineOptions {
  int threads = 1;
  std::int64_t chunk_nnz = 0;  // 0: default_chunk_nnz, or less where the budget is small
  std::int64_t default_chunk_nnz = 1 << 18;
  int n_slots = 0;                          // 0: chosen by the pipeline
  const std::atomic<bool>* stop = nullptr;  // set by a signal handler
  NameSource* row_names = nullptr;
  int numbers_per_row = 0;             // doubles a row that walk_chunks makes room for in each slot (host/pipeline/chunk_walk.hpp)
  std::size_t text_bytes_per_row = 0;  // what the sinks write of a row beside its name
  bool poison = false;                 // overwrite freed slots (tests)
  std::function<void(std::int64_t rows_done, std::int64_t nnz_done)> progress;  // serial; may be empty
};

struct RunReport {
  int threads = 1, passes = 0;
  std::int64_t chunks = 0, bytes_read = 0, nnz = 0;
  double seconds = 0;
  bool integer_mode = true;
  ChunkFacts facts;  // of the whole matrix
};

// What a run would take, for --dry-run.
struct PipelinePlan {
  int threads = 1, n_slots = 2;
  ValueType value_type = ValueType::f32;
  SourcePlan source;
  std::size_t slot_bytes = 0, ring_bytes = 0;
};

PipelinePlan plan_pipeline(ChunkSource& source, const OpSpec& ops, const MemoryBudget& budget, const PipelineOptions& options);

// The least budget, in whole MiB, with which a pass in the mode of `ops` begins where kept_bytes are claimed already; 1 TiB: none that
// was tried. Plans about 20 times.
std::size_t least_budget(ChunkSource& source, const Backend& backend, const OpSpec& ops, std::size_t kept_bytes,
                         const PipelineOptions& options);

// Runs until the matrix has been walked in a mode that holds its values: at most three passes (f32 whole, f64 whole, general).
RunReport run_pipeline(ChunkSource& source, Backend& backend, OpSpec ops, std::span<Sink* const> sinks, MemoryBudget& budget,
                       const PipelineOptions& options);

}  // namespace quern
