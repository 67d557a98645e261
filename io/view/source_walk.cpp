#include "io/view/source_walk.hpp"

#include <algorithm>

namespace quern::io {

SourceWalk::SourceWalk(ChunkSource& source, MemoryBudget& budget) : source_(source) {
  ChunkTargets targets;
  targets.n_slots = 1;
  targets.budget_bytes = budget.available() / 2;
  targets.chunk_nnz = std::clamp<std::int64_t>(static_cast<std::int64_t>(targets.budget_bytes / 64), 1 << 10, 1 << 20);
  targets.value_type = ValueType::f64;
  const SourcePlan plan = source.plan(targets);
  const auto n_rows = static_cast<std::size_t>(plan.slot.max_rows) + 1, n_entries = static_cast<std::size_t>(plan.slot.max_nnz);
  claim_ = budget.claim("stored chunks of a slice", n_rows * sizeof(std::int32_t) + n_entries * (sizeof(std::uint32_t) + sizeof(double)) +
                                                        plan.slot.staging_bytes + plan.slot.pending_bytes + plan.shared_bytes);
  offsets_.resize(n_rows);
  columns_.resize(n_entries);
  values_.resize(n_entries);
  staging_.resize(plan.slot.staging_bytes);
  shared_.resize(plan.shared_bytes);
  chunk_.offsets = offsets_.data();
  chunk_.columns = columns_.data();
  chunk_.values = reinterpret_cast<std::byte*>(values_.data());
  chunk_.value_type = ValueType::f64;
  chunk_.staging = staging_;
  chunk_.pending = source.make_pending();
  source.start(shared_);
}

bool SourceWalk::next() {
  if (!source_.fetch(chunk_)) return false;
  source_.decode(chunk_);
  return true;
}

}  // namespace quern::io
