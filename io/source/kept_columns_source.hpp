// Some columns of another source, renumbered in their order.
#pragma once
#include <memory>
#include <utility>

#include "host/core/chunk_source.hpp"
#include "io/source/canonical_rows.hpp"
#include "io/sources.hpp"

namespace quern::io {

// What a source made with the ColumnMap gives, but for the facts of chunks and `rearranged`, which are those of all columns. `columns` keep
// their order.
class KeptColumnsSource final : public ChunkSource {
 public:
  KeptColumnsSource(std::unique_ptr<ChunkSource> source, const ColumnMap& columns) : source_(std::move(source)), columns_(columns) {}
  MatrixShape shape() const override {
    MatrixShape shape = source_->shape();
    if (!columns_.to.empty()) shape.n_cols = columns_.n_kept;
    return shape;
  }
  ValueType natural_value_type() const override { return source_->natural_value_type(); }
  SourcePlan plan(const ChunkTargets& targets) override { return source_->plan(targets); }
  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override { return source_->make_pending(); }
  void start(std::span<std::byte> shared) override { source_->start(shared); }
  bool fetch(ChunkBuffer& slot) override { return source_->fetch(slot); }
  void decode(ChunkBuffer& slot) override {
    source_->decode(slot);
    if (!columns_.to.empty()) map_columns(slot, columns_.to);
  }
  bool reads_fast() const override { return source_->reads_fast(); }
  std::int64_t bytes_read() const override { return source_->bytes_read(); }

 private:
  std::unique_ptr<ChunkSource> source_;
  const ColumnMap& columns_;
};

}  // namespace quern::io
