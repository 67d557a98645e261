// A ChunkSource over a matrix in memory: what the tests of backends and pipeline read from.
#pragma once
#include <algorithm>
#include <cmath>
#include <vector>

#include "host/core/chunk_plan.hpp"
#include "host/core/chunk_source.hpp"

namespace quern::test {

struct Entry {
  std::uint32_t column;
  double value;
};
using Rows = std::vector<std::vector<Entry>>;  // columns strictly ascending

class MemorySource final : public ChunkSource {
 public:
  MemorySource(Rows rows, std::int64_t n_cols, ValueType natural = ValueType::f32)
      : rows_(std::move(rows)), n_cols_(n_cols), natural_(natural) {
    indptr_.push_back(0);
    for (const auto& row : rows_) indptr_.push_back(indptr_.back() + static_cast<std::int64_t>(row.size()));
  }
  MatrixShape shape() const override { return {static_cast<std::int64_t>(rows_.size()), n_cols_, indptr_.back()}; }
  ValueType natural_value_type() const override { return natural_; }
  SourcePlan plan(const ChunkTargets& targets) override {
    limits_ = {targets.chunk_nnz, std::max<std::int64_t>(targets.chunk_nnz / 8, 1)};
    SourcePlan plan;
    for (RowRange rows = next_chunk(indptr_, 0, limits_); rows.size() > 0; rows = next_chunk(indptr_, rows.last, limits_)) {
      plan.slot.max_rows = std::max(plan.slot.max_rows, static_cast<std::int32_t>(rows.size()));
      plan.slot.max_nnz = std::max(plan.slot.max_nnz, static_cast<std::int32_t>(nnz(rows)));
      ++plan.n_chunks;
    }
    return plan;
  }
  void start(std::span<std::byte>) override { next_row_ = sequence_ = 0; }
  bool fetch(ChunkBuffer& slot) override {
    slot.rows = next_chunk(indptr_, next_row_, limits_);
    next_row_ = slot.rows.last;
    slot.sequence = sequence_++;
    return slot.rows.size() > 0;
  }
  void decode(ChunkBuffer& slot) override {
    std::int32_t n = 0;
    slot.facts = {};
    slot.offsets[0] = 0;
    for (std::int64_t r = slot.rows.first; r < slot.rows.last; ++r) {
      for (const Entry& entry : rows_[static_cast<std::size_t>(r)]) {
        slot.columns[n] = entry.column;
        put(slot, n++, entry.value);
      }
      slot.offsets[r - slot.rows.first + 1] = n;
    }
  }
  std::int64_t bytes_read() const override { return 0; }

 private:
  std::int64_t nnz(RowRange rows) const {
    return indptr_[static_cast<std::size_t>(rows.last)] - indptr_[static_cast<std::size_t>(rows.first)];
  }
  static void put(ChunkBuffer& slot, std::int32_t at, double value) {
    if (slot.value_type == ValueType::f64) {
      slot.values_as<double>()[at] = value;
    } else {
      slot.values_as<float>()[at] = static_cast<float>(value);
      if (value == std::rint(value) && static_cast<double>(static_cast<float>(value)) != value) throw NeedsWiderValues();
    }
    slot.facts.whole = slot.facts.whole && value == std::rint(value) && std::abs(value) < 2147483648.0;
    slot.facts.has_zero = slot.facts.has_zero || value == 0;
    slot.facts.has_negative = slot.facts.has_negative || value < 0;
    slot.facts.has_nan = slot.facts.has_nan || std::isnan(value);
    slot.facts.has_infinity = slot.facts.has_infinity || std::isinf(value);
    if (std::isfinite(value)) slot.facts.max_abs = std::max(slot.facts.max_abs, std::abs(value));
  }
  Rows rows_;
  std::int64_t n_cols_;
  ValueType natural_;
  std::vector<std::int64_t> indptr_;
  ChunkLimits limits_;
  std::int64_t next_row_ = 0, sequence_ = 0;
};

}  // namespace quern::test
