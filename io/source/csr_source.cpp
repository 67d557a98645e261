// ChunkSource of a CSR matrix stored as three arrays.
#include <tbb/parallel_invoke.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "host/core/chunk_plan.hpp"
#include "io/decode/convert.hpp"
#include "io/decode/inspect.hpp"
#include "io/source/canonical_rows.hpp"
#include "io/source/element_stream.hpp"
#include "io/source/element_stream_types.hpp"
#include "io/source/element_writers.hpp"
#include "io/source/row_pointers.hpp"
#include "io/sources.hpp"

namespace quern::io {
namespace {

class CsrSource final : public ChunkSource {
 public:
  CsrSource(const MatrixInput& input, MemoryBudget& budget)
      : input_(input),
        pointers_(RowPointers::read(input, budget)),
        columns_(RawDataset(input.file, input.matrix.indices.path), input.path, pointers_.used()),
        values_(RawDataset(input.file, input.matrix.data.path), input.path, pointers_.used()) {
    if (columns_.dataset().type().kind == StoredKind::real)
      throw input_error("bad-type", input.matrix.indices.path, "holds reals, expected integers");
    value_type_ = quern::io::natural_value_type(values_.dataset().type());
  }

  MatrixShape shape() const override {
    return {input_.matrix.rows, input_.columns.to.empty() ? input_.matrix.cols : input_.columns.n_kept, pointers_.used()};
  }
  ValueType natural_value_type() const override { return value_type_; }

  SourcePlan plan(const ChunkTargets& targets) override {
    limits_.max_nnz = std::clamp<std::int64_t>(targets.chunk_nnz, 1, std::clamp<std::int64_t>(pointers_.used(), 1, most_chunk_nnz));
    limits_.max_rows = std::clamp<std::int64_t>(targets.chunk_nnz / 8, 1, targets.max_rows);
    const std::int64_t slot_nnz = std::max(limits_.max_nnz, pointers_.largest_row());
    if (slot_nnz > std::numeric_limits<std::int32_t>::max() / 2)
      throw resource_error("row-too-large", input_.matrix.indptr.path,
                           "a chunk would hold " + std::to_string(slot_nnz) + " values, more than 2^30");
    columns_.begin_plan(targets.n_slots, slot_nnz, targets.budget_bytes);
    values_.begin_plan(targets.n_slots, slot_nnz, targets.budget_bytes);
    SourcePlan plan;
    first_row_ = plan.first_row = columns_.inflates_in_fetch() || values_.inflates_in_fetch() ? 0 : targets.first_row;
    for (RowRange rows = chunk_at(first_row_); rows.size() > 0; rows = chunk_at(rows.last)) {
      const ElementStream::Range range = elements(rows);
      columns_.plan_range(range);
      values_.plan_range(range);
      plan.slot.max_rows = std::max(plan.slot.max_rows, static_cast<std::int32_t>(rows.size()));
      plan.slot.max_nnz = std::max(plan.slot.max_nnz, static_cast<std::int32_t>(range.last - range.first));
      ++plan.n_chunks;
    }
    const ElementStream::Needs for_columns = columns_.end_plan(), for_values = values_.end_plan();
    column_staging_ = for_columns.staging_bytes;
    column_shared_ = for_columns.shared_bytes;
    plan.slot.staging_bytes = for_columns.staging_bytes + for_values.staging_bytes;
    plan.shared_bytes = for_columns.shared_bytes + for_values.shared_bytes;
    plan.slot.pending_bytes =
        for_columns.pending_bytes + for_values.pending_bytes + RowScratch::bytes(static_cast<std::size_t>(pointers_.largest_row()));
    return plan;
  }

  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override {
    auto notes = std::make_unique<Notes>();
    notes->columns = columns_.make_pending();
    notes->values = values_.make_pending();
    notes->scratch.reserve(static_cast<std::size_t>(pointers_.largest_row()));
    if (values_.dataset().type().kind != StoredKind::real) notes->scratch.integers_of = values_.dataset().path();
    return notes;
  }

  void start(std::span<std::byte> shared) override {
    next_row_ = first_row_;
    sequence_ = 0;
    columns_.start(shared.subspan(0, column_shared_));
    values_.start(shared.subspan(column_shared_));
  }

  bool fetch(ChunkBuffer& slot) override {
    slot.rows = chunk_at(next_row_);
    if (slot.rows.size() == 0) return false;
    next_row_ = slot.rows.last;
    slot.sequence = sequence_++;
    auto& notes = static_cast<Notes&>(*slot.pending);
    const ElementStream::Range range = elements(slot.rows);
    const auto fetch_columns = [&] { columns_.fetch(range, *notes.columns, slot.staging.subspan(0, column_staging_)); };
    const auto fetch_values = [&] { values_.fetch(range, *notes.values, slot.staging.subspan(column_staging_)); };
    if (columns_.inflates_in_fetch() && values_.inflates_in_fetch()) {
      tbb::parallel_invoke(fetch_columns, fetch_values);
    } else {
      fetch_columns();
      fetch_values();
    }
    return true;
  }

  void decode(ChunkBuffer& slot) override {
    auto& notes = static_cast<Notes&>(*slot.pending);
    const auto n_rows = static_cast<std::size_t>(slot.rows.size());
    for (std::size_t r = 0; r <= n_rows; ++r)
      slot.offsets[r] =
          static_cast<std::int32_t>(pointers_.at(slot.rows.first + static_cast<std::int64_t>(r)) - pointers_.at(slot.rows.first));
    ColumnWriter column_writer(columns_.dataset().type(), slot.columns);
    ValueWriter value_writer(values_.dataset(), slot.value_type, slot.values);
    columns_.decode(*notes.columns, slot.staging.subspan(0, column_staging_), column_writer);
    values_.decode(*notes.values, slot.staging.subspan(column_staging_), value_writer);
    if (input_.columns.to.empty()) {
      refuse_bad_column(slot, make_canonical(slot, input_.matrix.cols, notes.scratch));
    } else {
      refuse_bad_column(slot, find_bad_column(slot.columns, slot.offsets[n_rows], input_.matrix.cols));
      map_columns(slot, input_.columns.to);
      make_canonical(slot, input_.columns.n_kept, notes.scratch);
    }
    const auto kept = static_cast<std::size_t>(slot.offsets[n_rows]);
    slot.facts = slot.value_type == ValueType::f32 ? inspect(slot.values_as<float>(), kept) : inspect(slot.values_as<double>(), kept);
  }

  bool reads_fast() const override {
    return columns_.dataset().access() == Access::contiguous && values_.dataset().access() == Access::contiguous;
  }
  std::int64_t bytes_read() const override { return columns_.bytes_read() + values_.bytes_read(); }

 private:
  struct Notes final : ChunkBuffer::Pending {
    std::unique_ptr<ElementStream::Pending> columns, values;
    RowScratch scratch;
  };

  RowRange chunk_at(std::int64_t row) const { return next_chunk(pointers_.all(), row, limits_); }
  ElementStream::Range elements(RowRange rows) const { return {pointers_.at(rows.first), pointers_.at(rows.last)}; }

  void refuse_bad_column(const ChunkBuffer& slot, std::int32_t bad) const {
    if (bad < 0) return;
    throw input_error("bad-index", input_.matrix.indices.path,
                      "entry " + std::to_string(pointers_.at(slot.rows.first) + bad) + " is negative or not below the number of columns, " +
                          std::to_string(input_.matrix.cols),
                      "the file is damaged or its shape is wrong");
  }

  MatrixInput input_;
  RowPointers pointers_;
  ElementStream columns_, values_;
  ValueType value_type_ = ValueType::f32;
  ChunkLimits limits_;
  std::size_t column_staging_ = 0, column_shared_ = 0;
  std::int64_t first_row_ = 0, next_row_ = 0, sequence_ = 0;
};

}  // namespace

std::unique_ptr<ChunkSource> make_csr_source(const MatrixInput& input, MemoryBudget& budget) {
  return std::make_unique<CsrSource>(input, budget);
}

}  // namespace quern::io
