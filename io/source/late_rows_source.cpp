#include "io/source/late_rows_source.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "host/core/error.hpp"
#include "io/decode/inspect.hpp"
#include "io/source/slot_planner.hpp"

namespace quern::io {

LateRowsSource::LateRowsSource(const MatrixShape& shape, std::int64_t stored_columns, std::string object, MemoryBudget& budget)
    : shape_(shape), row_bound_(std::min(stored_columns, shape.nnz)), object_(std::move(object)), budget_(budget) {}

std::size_t LateRowsSource::spare_bytes() const { return std::max<std::size_t>(std::size_t{16} << 20, budget_.limit() / 16); }

std::int64_t LateRowsSource::largest_row() const {
  const auto pointers = row_pointers();
  if (pointers.empty()) return row_bound_;
  std::int64_t largest = 0;
  for (std::size_t r = 0; r + 1 < pointers.size(); ++r) largest = std::max(largest, pointers[r + 1] - pointers[r]);
  return largest;
}

SourcePlan LateRowsSource::plan(const ChunkTargets& targets) {
  value_type_ = targets.value_type;
  limits_.max_nnz = std::max<std::int64_t>(1, std::min(targets.chunk_nnz, shape_.nnz));
  limits_.max_rows = std::clamp<std::int64_t>(targets.chunk_nnz / 8, 1, targets.max_rows);
  scratch_nnz_ = largest_row();
  slot_nnz_ = std::max(limits_.max_nnz, scratch_nnz_);
  if (slot_nnz_ > std::numeric_limits<std::int32_t>::max() / 2)
    throw resource_error("row-too-large", object_, "a chunk would hold " + std::to_string(slot_nnz_) + " values, more than 2^30");
  SourcePlan plan;
  plan.slot.max_rows = static_cast<std::int32_t>(std::max<std::int64_t>(1, std::min(limits_.max_rows, shape_.n_rows)));
  plan.slot.max_nnz = static_cast<std::int32_t>(slot_nnz_);
  plan.slot.pending_bytes = RowScratch::bytes(static_cast<std::size_t>(scratch_nnz_));
  if (const auto pointers = row_pointers(); !pointers.empty())
    for (RowRange rows = next_chunk(pointers, 0, limits_); rows.size() > 0; rows = next_chunk(pointers, rows.last, limits_))
      ++plan.n_chunks;
  else
    plan.n_chunks =
        std::max((shape_.nnz + limits_.max_nnz - 1) / limits_.max_nnz, (shape_.n_rows + limits_.max_rows - 1) / limits_.max_rows);
  if (ready(value_type_)) return plan;
  plan.kept_bytes = kept_bytes(value_type_);
  plan.spare_bytes = spare_bytes();
  const std::size_t slots =
      static_cast<std::size_t>(targets.n_slots) * (slot_bytes(plan.slot.max_rows, {0, 0, plan.slot.pending_bytes}, targets) +
                                                   static_cast<std::size_t>(slot_nnz_) * (sizeof(std::uint32_t) + size_of(value_type_)));
  plan.shared_bytes = workspace_bytes(value_type_, targets.budget_bytes - std::min(targets.budget_bytes, slots));
  return plan;
}

std::unique_ptr<ChunkBuffer::Pending> LateRowsSource::make_pending() const {
  auto notes = std::make_unique<Notes>();
  notes->scratch.reserve(static_cast<std::size_t>(scratch_nnz_));
  if (stores_integers()) notes->scratch.integers_of = object_;
  return notes;
}

void LateRowsSource::start(std::span<std::byte> shared) {
  if (!ready(value_type_)) learn(value_type_, shared);
  next_row_ = sequence_ = 0;
  begin_pass();
}

bool LateRowsSource::fetch(ChunkBuffer& slot) {
  const auto pointers = row_pointers();
  slot.rows = next_chunk(pointers, next_row_, limits_);
  if (slot.rows.size() == 0) return false;
  next_row_ = slot.rows.last;
  slot.sequence = sequence_++;
  const std::int64_t nnz = pointers[static_cast<std::size_t>(slot.rows.last)] - pointers[static_cast<std::size_t>(slot.rows.first)];
  auto& notes = static_cast<Notes&>(*slot.pending);
  notes.long_row = nnz > slot_nnz_ ? std::make_unique<LongRow>(slot, nnz, budget_) : nullptr;
  fetch_rows(notes.long_row ? notes.long_row->buffer : slot);
  return true;
}

LateRowsSource::LongRow::LongRow(const ChunkBuffer& slot, std::int64_t nnz, MemoryBudget& budget)
    : claim(budget.claim("a row with duplicates", static_cast<std::size_t>(nnz) * (sizeof(std::uint32_t) + sizeof(double)))),
      columns(static_cast<std::size_t>(nnz)),
      values(static_cast<std::size_t>(nnz)) {
  buffer.rows = slot.rows;
  buffer.offsets = offsets;
  buffer.columns = columns.data();
  buffer.values = reinterpret_cast<std::byte*>(values.data());
  buffer.value_type = slot.value_type;
}

void LateRowsSource::decode(ChunkBuffer& slot) {
  auto& notes = static_cast<Notes&>(*slot.pending);
  if (notes.long_row) {
    ChunkBuffer& row = notes.long_row->buffer;
    fill(row);
    make_canonical(row, shape_.n_cols, notes.scratch);
    const auto n = static_cast<std::size_t>(row.offsets[1]);  // at most a row without duplicates, which fits
    std::copy_n(row.offsets, 2, slot.offsets);
    std::copy_n(row.columns, n, slot.columns);
    std::copy_n(row.values, n * size_of(slot.value_type), slot.values);
    notes.long_row.reset();
  } else {
    fill(slot);
    make_canonical(slot, shape_.n_cols, notes.scratch);
  }
  const auto n = static_cast<std::size_t>(slot.offsets[slot.rows.size()]);
  slot.facts = slot.value_type == ValueType::f32 ? inspect(slot.values_as<float>(), n) : inspect(slot.values_as<double>(), n);
}

}  // namespace quern::io
