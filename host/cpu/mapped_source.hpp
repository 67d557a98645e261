// A matrix whose values are normalised while they are read: what a verb sees under --on counts-per:T or log1p:T.
#pragma once
#include <memory>
#include <mutex>

#include "host/core/chunk_source.hpp"
#include "host/ops/value_map.hpp"

namespace quern {

struct MappedValues {
  ValueMap map;
  double target = 1;                   // what every cell's values add up to before the logarithm
  ValueType rounded = ValueType::f32;  // what each value is rounded to, once, whatever the chunks are held in
};

// Chunks, columns and offsets are those of `source`; a value x of a cell becomes map(x, total of the cell / target), and its facts tell of
// the new values (`whole` is never claimed). No pass and no memory more: the total is that of the row in the chunk.
class MappedSource final : public ChunkSource {
 public:
  MappedSource(std::unique_ptr<ChunkSource> source, const MappedValues& values) : source_(std::move(source)), values_(values) {}

  MatrixShape shape() const override { return source_->shape(); }
  ValueType natural_value_type() const override { return source_->natural_value_type(); }
  SourcePlan plan(const ChunkTargets& targets) override { return source_->plan(targets); }
  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override { return source_->make_pending(); }
  void start(std::span<std::byte> shared) override;
  bool fetch(ChunkBuffer& slot) override { return source_->fetch(slot); }
  void decode(ChunkBuffer& slot) override;
  std::int64_t bytes_read() const override { return source_->bytes_read(); }

  // What was read in the last pass, before it was normalised. While no decode runs.
  const ChunkFacts& stored_facts() const { return stored_facts_; }

 private:
  std::unique_ptr<ChunkSource> source_;
  MappedValues values_;
  std::mutex mutex_;
  ChunkFacts stored_facts_;
};

}  // namespace quern
