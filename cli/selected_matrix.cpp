#include "cli/selected_matrix.hpp"

#include <fmt/format.h>

#include "cli/backends.hpp"
#include "cli/sizes.hpp"
#include "cli/streaming.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

OpSpec only_values(ValueType type) {
  OpSpec ops;
  ops.value_type = type;
  return ops;
}

constexpr std::size_t mebibyte = std::size_t{1} << 20, plenty = std::size_t{1} << 50;

}  // namespace

void use_processor(const std::string& what, Session& session) {
  if (session.options.backend == "cuda")
    throw usage_error("no-device-work", "--backend cuda", what + ", which the processor does alone", "leave --backend out");
  SharedOptions processor = session.options;
  processor.backend = "cpu";
  const BackendChoice choice = choose_backend(processor);
  session.report.set_backend(choice.backend->name(), choice.backend->device());
}

SelectedMatrix::SelectedMatrix(io::Input& input, const ValuesOn& on, std::span<const std::uint8_t> flags, MemoryBudget& budget)
    : values_(input.source(budget), on, input.matrix()),
      budget_(budget),
      shape_(values_.source().shape()),
      type_(values_.source().natural_value_type()),
      claim_(budget.claim("which genes are used", GeneSelection::bytes(shape_.n_cols))),
      genes_(flags) {}

std::int64_t SelectedMatrix::walk(std::int64_t block_rows, const std::function<BlockUser&()>& start, const PipelineOptions& options,
                                  RunReport& all) {
  values_.find_target(budget_, options, all);
  for (;;) {
    SelectRows rows(genes_, rows_shape(block_rows), type_, start(), budget_);
    try {
      const RunReport run = walk_chunks(values_.source(), type_, rows, pageable_memory(), budget_, options);
      add(all, run);
      all.facts = run.facts;
      all.nnz = run.nnz;
      return rows.n_values();
    } catch (const NeedsWiderValues&) {
      type_ = ValueType::f64;
    }
  }
}

PipelinePlan SelectedMatrix::plan(std::int64_t block_rows, std::size_t kept_bytes, const std::string& what,
                                  const PipelineOptions& options) {
  const std::size_t kept = kept_bytes + SelectRows::bytes(genes_, rows_shape(block_rows), type_);
  const std::size_t claimed = budget_.limit() - budget_.available();
  const auto plan_with = [&](std::size_t limit) {
    MemoryBudget trial(limit);
    const Claim taken = trial.claim("products of genes", claimed + kept);
    return plan_pipeline(values_.source(), only_values(type_), trial, options);
  };
  try {
    return plan_with(budget_.limit());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::resources) throw;
  }
  const PipelinePlan wanted = plan_with(plenty);
  const std::size_t needed = claimed + kept + wanted.ring_bytes;
  throw resource_error("over-budget", "--memory",
                       fmt::format("{} take {}, {} with what the run needs besides; the budget is {}", what, format_size(kept_bytes),
                                   format_size(needed), format_size(budget_.limit())),
                       fmt::format("give --memory {}MiB, or choose fewer genes (--genes, --mask)", needed / mebibyte + 1));
}

}  // namespace quern::cli
