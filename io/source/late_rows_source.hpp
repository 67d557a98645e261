// A source that learns where its rows begin only by a first look at the stored entries, when the first pass starts.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/core/chunk_plan.hpp"
#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "io/source/canonical_rows.hpp"

namespace quern::io {

class LateRowsSource : public ChunkSource {
 public:
  MatrixShape shape() const override { return shape_; }
  // n_chunks is an estimate until the rows are known.
  SourcePlan plan(const ChunkTargets& targets) override;
  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override;
  void start(std::span<std::byte> shared) override;
  bool fetch(ChunkBuffer& slot) override;
  void decode(ChunkBuffer& slot) override;
  bool reads_fast() const override { return true; }  // after the first look, which leaves the entries in order

 protected:
  // `stored_columns`: entries a row can have when the file holds none twice.
  LateRowsSource(const MatrixShape& shape, std::int64_t stored_columns, std::string object, MemoryBudget& budget);

  // Bytes of the block that learn() gets, given what is left for it; the least it can do with when `left` is less.
  virtual std::size_t workspace_bytes(ValueType type, std::size_t left) = 0;
  virtual bool stores_integers() const = 0;
  virtual std::size_t kept_bytes(ValueType type) const = 0;  // that learn() takes where the budget allows
  virtual bool ready(ValueType type) const = 0;
  virtual void learn(ValueType type, std::span<std::byte> workspace) = 0;
  virtual std::span<const std::int64_t> row_pointers() const = 0;  // n_rows + 1; empty before learn()
  virtual void begin_pass() {}
  virtual void fetch_rows(ChunkBuffer&) {}   // serial
  virtual void fill(ChunkBuffer& slot) = 0;  // parallel: offsets, columns (in range), values; any order within a row

  MemoryBudget& budget() { return budget_; }
  const std::string& object() const { return object_; }
  std::size_t spare_bytes() const;  // what is left to others when entries are kept in memory

 private:
  // A row that fits no slot before its duplicates are summed (possible only where a file holds entries twice).
  struct LongRow {
    LongRow(const ChunkBuffer& slot, std::int64_t nnz, MemoryBudget& budget);
    Claim claim;
    std::vector<std::uint32_t> columns;
    std::vector<double> values;  // room for either type
    std::int32_t offsets[2] = {0, 0};
    ChunkBuffer buffer;
  };
  struct Notes final : ChunkBuffer::Pending {
    RowScratch scratch;
    std::unique_ptr<LongRow> long_row;
  };
  std::int64_t largest_row() const;

  MatrixShape shape_;
  std::int64_t row_bound_;
  std::string object_;
  MemoryBudget& budget_;
  ChunkLimits limits_;
  ValueType value_type_ = ValueType::f32;
  std::int64_t slot_nnz_ = 0, scratch_nnz_ = 0, next_row_ = 0, sequence_ = 0;
};

}  // namespace quern::io
