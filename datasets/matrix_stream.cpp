#include "datasets/matrix_stream.hpp"

#include <tbb/parallel_pipeline.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <memory>

#include "datasets/matrix_segment.hpp"

namespace quern::datasets {
namespace {

constexpr std::int64_t kSegmentElements = 1 << 18;

std::int64_t chunks_per_segment(const io::ChunkedShape& shape) { return std::max<std::int64_t>(1, kSegmentElements / shape.chunk_length); }

std::size_t segments_in_flight(int threads) { return static_cast<std::size_t>(threads) + 2; }

}  // namespace

std::size_t stream_bytes(const GenerateSpec& spec, const io::ChunkedShape& shape, bool wide_indices, int threads) {
  return segments_in_flight(threads) * Segment::bytes(spec, shape, wide_indices, chunks_per_segment(shape));
}

MatrixTotals write_matrix(const GenerateSpec& spec, const CellModel& model, const GeneCatalog& genes, const MatrixTargets& targets,
                          MemoryBudget& budget, const StreamOptions& options) {
  const io::ChunkedShape shape = targets.counts.front()->shape();
  const std::size_t n_slots = segments_in_flight(options.threads);
  const Claim claim = budget.claim("segments being generated", stream_bytes(spec, shape, targets.wide_indices, options.threads));
  std::vector<std::unique_ptr<Segment>> slots;
  for (std::size_t i = 0; i < n_slots; ++i)
    slots.push_back(std::make_unique<Segment>(spec, model, genes, targets, shape, chunks_per_segment(shape)));

  MatrixTotals totals;
  totals.of_cell.resize(static_cast<std::size_t>(spec.n_cells));
  SegmentPlanner planner(model, spec.n_cells, shape, chunks_per_segment(shape));
  std::size_t started = 0;
  // Segments leave in the order they came and no more than n_slots are inside, so the slot of segment i - n_slots is free for i.
  const auto plan = [&](tbb::flow_control& control) -> Segment* {
    Segment* segment = slots[started % n_slots].get();
    if (!planner.next(segment->place)) {
      control.stop();
      return nullptr;
    }
    ++started;
    return segment;
  };
  const auto fill = [&](Segment* segment) {
    segment->fill(totals.of_cell);
    return segment;
  };
  const auto write = [&](Segment* segment) {
    segment->write(targets);
    if (options.progress) options.progress(segment->place.first + segment->place.length);
  };
  tbb::task_arena arena(options.threads);
  arena.execute([&] {
    tbb::parallel_pipeline(n_slots, tbb::make_filter<void, Segment*>(tbb::filter_mode::serial_in_order, plan) &
                                        tbb::make_filter<Segment*, Segment*>(tbb::filter_mode::parallel, fill) &
                                        tbb::make_filter<Segment*, void>(tbb::filter_mode::serial_in_order, write));
  });
  totals.cells_of_gene.assign(genes.size(), 0);
  for (const auto& segment : slots)
    for (std::size_t g = 0; g < genes.size(); ++g) totals.cells_of_gene[g] += segment->cells_of_gene()[g];
  return totals;
}

}  // namespace quern::datasets
