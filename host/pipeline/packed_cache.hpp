// Decode once: a source whose chunks stay in memory, narrowed, as a first pass decodes them; later passes read them from there.
#pragma once
#include <memory>
#include <mutex>
#include <vector>

#include "host/core/chunk_source.hpp"
#include "host/core/memory.hpp"
#include "host/pipeline/packed_block.hpp"

namespace quern {

// Keeps the first rows of the matrix, as many as fit: counts below 255 take 3 bytes a value with up to 65,536 columns, others up to 6 or 10
// (2 more with more columns), and 4 bytes a row. Later passes may have chunks of other sizes and values of another type; what they see is
// bit by bit what the source gives, but for the facts of a chunk, which may be those of rows around it, too, and `rearranged` likewise.
// Rows that are not kept are decoded again by a source that can begin at any row (SourcePlan::first_row); with one that cannot, all is kept
// or nothing. Costs a pass over the decoded chunk.
class PackedCache final : public ChunkSource {
 public:
  // Claims up to `most_bytes` from `budget` ("packed cache") as the pass goes on, never more than is left; it outlives the cache.
  PackedCache(std::unique_ptr<ChunkSource> source, MemoryBudget& budget, std::size_t most_bytes);
  ~PackedCache() override;

  // What keeping all of a matrix takes at least, roughly: 3 bytes a value. Of dense ones nothing is known: 0.
  static std::size_t least_bytes(const MatrixShape& shape);

  // As of the latest plan, so after a later pass: what that pass did not decode.
  std::int64_t rows_kept() const { return kept_rows_; }
  std::size_t bytes_kept() const;

  MatrixShape shape() const override { return source_->shape(); }
  ValueType natural_value_type() const override { return source_->natural_value_type(); }
  SourcePlan plan(const ChunkTargets& targets) override;
  std::unique_ptr<ChunkBuffer::Pending> make_pending() const override;
  void start(std::span<std::byte> shared) override;
  bool fetch(ChunkBuffer& slot) override;
  void decode(ChunkBuffer& slot) override;
  bool reads_fast() const override { return keeps_all() || source_->reads_fast(); }
  std::int64_t bytes_read() const override { return source_->bytes_read(); }

 private:
  bool keeps_all() const { return kept_rows_ > 0 && kept_rows_ == shape().n_rows; }
  void settle();
  void forget();
  void plan_kept(const ChunkTargets& targets, SourcePlan& plan);
  const PackedBlock& block_of(std::int64_t row) const;
  void keep(const ChunkBuffer& chunk);
  std::byte* allocate(std::size_t bytes);

  std::unique_ptr<ChunkSource> source_;
  MemoryBudget& budget_;
  std::size_t most_bytes_;

  std::mutex mutex_;  // of what follows while a pass decodes
  std::vector<HostBlock> slabs_;
  std::size_t slab_used_ = 0;
  bool full_ = false;
  std::vector<PackedBlock> fresh_;  // of this pass, in any order

  std::vector<PackedBlock> blocks_;  // rows 0 to kept_rows_, in order
  std::int64_t kept_rows_ = 0, planned_chunks_ = 0;
  bool packs_ = false;  // the pass adds blocks
  std::int64_t max_nnz_ = 0, max_rows_ = 0, next_row_ = 0, sequence_ = 0;
};

}  // namespace quern
