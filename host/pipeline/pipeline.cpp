#include "host/pipeline/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

#include "host/core/error.hpp"
#include "host/pipeline/least_budget.hpp"
#include "host/pipeline/stages.hpp"

namespace quern {
namespace {

constexpr std::int64_t smallest_chunk_nnz = 1 << 12;
// A row on its way to a table: its name, which is written twice, and its text. Long names are rare; few rows a chunk bound what they take.
constexpr std::size_t name_bytes = 256;
constexpr std::int64_t most_rows = 16384, most_named_rows = 1024, most_numbers = 1 << 18;

std::size_t packet_bytes_per_row(const PipelineOptions& options) { return options.row_names ? name_bytes + options.text_bytes_per_row : 0; }

std::int64_t rows_at_most(const PipelineOptions& options) {
  if (options.row_names) return most_named_rows;
  return options.numbers_per_row > 0 ? std::min<std::int64_t>(most_rows, most_numbers / options.numbers_per_row) : most_rows;
}

constexpr int least_slots = 2;
constexpr std::size_t plenty_bytes = std::size_t{1} << 40, budget_step = std::size_t{1} << 20;

SlotLayout slot_layout(const SourcePlan& plan, const OpSpec& ops, const PipelineOptions& options) {
  return {plan.slot, ops.value_type, static_cast<int>(ops.rows.percent_top.size()) + options.numbers_per_row, ops.n_gene_sets};
}

// Asks the source for a plan and adds up what the ring takes.
void size_ring(PipelinePlan& plan, ChunkSource& source, const OpSpec& ops, std::int64_t target, std::size_t available,
               const PipelineOptions& options) {
  plan.value_type = ops.value_type;
  const std::size_t numbers = static_cast<std::size_t>(options.numbers_per_row) * sizeof(double);
  plan.source =
      source.plan({target, plan.n_slots, available, packet_bytes_per_row(options) + numbers, ops.value_type, rows_at_most(options)});
  plan.slot_bytes = slot_layout(plan.source, ops, options).bytes() + plan.source.slot.pending_bytes;
  plan.slot_bytes += packet_bytes_per_row(options) * static_cast<std::size_t>(plan.source.slot.max_rows);
  plan.ring_bytes = plan.slot_bytes * static_cast<std::size_t>(plan.n_slots) + plan.source.shared_bytes;
}

std::size_t least_ring_bytes(ChunkSource& source, const OpSpec& ops, const PipelineOptions& options) {
  PipelinePlan plan;
  plan.n_slots = least_slots;
  size_ring(plan, source, ops, options.chunk_nnz > 0 ? options.chunk_nnz : smallest_chunk_nnz, plenty_bytes, options);
  return plan.ring_bytes;
}

// Everything one pass needs while it runs.
class Pass {
 public:
  Pass(ChunkSource& source, Backend& backend, const OpSpec& ops, std::span<Sink* const> sinks, MemoryBudget& budget,
       const PipelineOptions& options, RunReport& report)
      : source_(source),
        sinks_(sinks),
        options_(options),
        report_(report),
        ops_(ops),
        budget_(budget),
        run_(backend.open(ops, source.shape(), budget, least_ring_bytes(source, ops, options))),
        plan_(prepare()),
        pool_(slot_layout(plan_.source, ops, options), plan_.n_slots, source, backend.ring_memory(), budget, options.poison),
        shared_(backend.ring_memory(), budget.claim("stored chunks shared by slots", plan_.source.shared_bytes)) {
    if (options.row_names)
      packets_ = budget.claim("names and text of rows", packet_bytes_per_row(options) * static_cast<std::size_t>(plan_.n_slots) *
                                                            static_cast<std::size_t>(plan_.source.slot.max_rows));
    want_names_ = options.row_names && std::any_of(sinks.begin(), sinks.end(), [](const Sink* s) { return s->wants_names(); });
  }

  ColumnResults walk() {
    for (Sink* sink : sinks_) sink->begin(ops_.integer_mode);
    source_.start({shared_.data(), shared_.size()});
    run_stages(
        plan_, [&](tbb::flow_control& flow) { return fetch(flow); }, [&](ChunkSlot* slot) { return compute(slot); },
        [&](ChunkSlot* slot) { hand_on(slot); });
    return run_->finish();
  }

 private:
  // The run claims what depends on the plan; should little be left then, the ring is made smaller.
  PipelinePlan prepare() {
    const PipelinePlan plan = plan_pipeline(source_, ops_, budget_, options_);
    run_->prepare(plan.source.slot);
    return plan.ring_bytes <= budget_.available() ? plan : plan_pipeline(source_, ops_, budget_, options_);
  }

  ChunkSlot* fetch(tbb::flow_control& flow) {
    if (options_.stop && options_.stop->load(std::memory_order_relaxed)) throw Interrupted();
    ChunkSlot& slot = pool_.take();
    if (!source_.fetch(slot.chunk)) {
      pool_.give_back(slot);
      flow.stop();
      return nullptr;
    }
    if (want_names_) read_names(slot);
    return &slot;
  }

  // Names longer than was planned are claimed as they come: they are written twice.
  void read_names(ChunkSlot& slot) {
    options_.row_names->read(slot.chunk.rows, slot.packet.names);
    std::size_t bytes = 0;
    for (const std::string& name : slot.packet.names) bytes += 2 * name.capacity() + sizeof name;
    const std::size_t planned = name_bytes * static_cast<std::size_t>(plan_.source.slot.max_rows);
    if (bytes <= planned + slot.long_names.bytes()) return;
    slot.long_names = {};
    slot.long_names = budget_.claim("names and text of rows", bytes - planned);
  }

  ChunkSlot* compute(ChunkSlot* slot) {
    ChunkBuffer& chunk = slot->chunk;
    source_.decode(chunk);
    slot->packet.block.rows = chunk.rows;
    slot->packet.block.integer_mode = ops_.integer_mode;
    const CsrChunkView<MemorySpace::host> view{chunk.rows.first,
                                               static_cast<std::int32_t>(chunk.rows.size()),
                                               source_.shape().n_cols,
                                               chunk.offsets,
                                               chunk.columns,
                                               chunk.values,
                                               chunk.value_type,
                                               chunk.facts,
                                               true};
    run_->submit(view, slot->packet.block);
    for (const Sink* sink : sinks_) sink->prepare(slot->packet);
    return slot;
  }

  void hand_on(ChunkSlot* slot) {
    for (Sink* sink : sinks_) sink->rows(slot->packet);
    report_.facts.merge(slot->chunk.facts);
    report_.nnz += slot->chunk.offsets[slot->chunk.rows.size()];
    ++report_.chunks;
    if (options_.progress) options_.progress(slot->chunk.rows.last, report_.nnz);
    pool_.give_back(*slot);
  }

  ChunkSource& source_;
  std::span<Sink* const> sinks_;
  const PipelineOptions& options_;
  RunReport& report_;
  const OpSpec& ops_;
  MemoryBudget& budget_;
  std::unique_ptr<Run> run_;
  PipelinePlan plan_;
  ChunkPool pool_;
  HostBlock shared_;
  Claim packets_;
  bool want_names_ = false;
};

}  // namespace

PipelinePlan plan_pipeline(ChunkSource& source, const OpSpec& ops, const MemoryBudget& budget, const PipelineOptions& options) {
  PipelinePlan plan;
  plan.threads = std::max(options.threads, 1);
  plan.n_slots = options.n_slots > 0 ? options.n_slots : plan.threads + std::max(2, plan.threads / 4);
  std::int64_t target = options.chunk_nnz > 0 ? options.chunk_nnz : options.default_chunk_nnz;
  const std::size_t available = budget.available();
  for (;;) {
    size_ring(plan, source, ops, target, available, options);
    if (plan.ring_bytes <= available) return plan;
    if (options.chunk_nnz == 0 && target > smallest_chunk_nnz)
      target /= 2;
    else if (plan.n_slots > least_slots)
      plan.n_slots = std::max(least_slots, plan.n_slots / 2);
    else
      break;
  }
  const std::size_t needed = budget.limit() - available + plan.ring_bytes;
  throw resource_error(
      "over-budget", "--memory",
      "the smallest ring of chunks needs " + size_text(plan.ring_bytes) + "; " + size_text(available) + " of the budget are left",
      "give --memory " + std::to_string((needed >> 20) + 1) + "MiB or more");
}

std::size_t least_budget(const std::function<void(MemoryBudget& trial)>& take, std::size_t at_least) {
  const auto suffices = [&](std::size_t limit) {
    MemoryBudget trial(limit);
    try {
      take(trial);
      return true;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::resources) throw;
      return false;
    }
  };
  std::size_t enough = std::max(at_least, budget_step);
  while (!suffices(enough)) {
    if (enough >= plenty_bytes) return plenty_bytes;
    enough *= 2;
  }
  std::size_t steps = (enough + budget_step - 1) / budget_step, too_few = at_least / budget_step / 2;
  while (steps - too_few > 1) {
    const std::size_t middle = too_few + (steps - too_few) / 2;
    (suffices(middle * budget_step) ? steps : too_few) = middle;
  }
  return steps * budget_step;
}

std::size_t least_budget(ChunkSource& source, const Backend& backend, const OpSpec& ops, std::size_t kept_bytes,
                         const PipelineOptions& options) {
  const std::size_t taken = kept_bytes + backend.least_bytes(ops, source.shape());
  const auto take = [&](MemoryBudget& trial) {
    const Claim claim = trial.claim("gene tables", taken);
    plan_pipeline(source, ops, trial, options);
  };
  return least_budget(take, taken);
}

namespace {

// A refusal before the first chunk says what would do: not the one claim that failed, but the whole run.
Error with_least_budget(const Error& error, ChunkSource& source, const Backend& backend, const OpSpec& ops, const MemoryBudget& budget,
                        const PipelineOptions& options) {
  if (error.kind() != ErrorKind::resources) return error;
  const std::size_t least = least_budget(source, backend, ops, budget.limit() - budget.available(), options);
  if (least <= budget.limit() || least == plenty_bytes) return error;
  return {error.kind(), error.code(), error.object(), error.what(), "give --memory " + std::to_string(least >> 20) + "MiB or more"};
}

}  // namespace

RunReport run_pipeline(ChunkSource& source, Backend& backend, OpSpec ops, std::span<Sink* const> sinks, MemoryBudget& budget,
                       const PipelineOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  ops.value_type = source.natural_value_type();
  ops.integer_mode = true;
  for (int passes = 1;; ++passes) {
    RunReport report;
    report.passes = passes;
    report.threads = std::max(options.threads, 1);
    std::optional<Pass> pass;
    try {
      pass.emplace(source, backend, ops, sinks, budget, options, report);
    } catch (const Error& error) {
      throw with_least_budget(error, source, backend, ops, budget, options);
    }
    try {
      const ColumnResults columns = pass->walk();
      pass.reset();
      for (Sink* sink : sinks) sink->finish(columns);
    } catch (const NeedsWiderValues&) {
      ops.value_type = ValueType::f64;
      continue;
    } catch (const NeedsGeneralMode&) {
      ops.integer_mode = false;
      continue;
    }
    report.bytes_read = source.bytes_read();
    report.integer_mode = ops.integer_mode;
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return report;
  }
}

}  // namespace quern
