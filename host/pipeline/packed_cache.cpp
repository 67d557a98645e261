#include "host/pipeline/packed_cache.hpp"

#include <algorithm>
#include <utility>

#include "host/core/error.hpp"

namespace quern {
namespace {

constexpr std::size_t slab_bytes = std::size_t{16} << 20;

}  // namespace

PackedCache::PackedCache(std::unique_ptr<ChunkSource> source, MemoryBudget& budget, std::size_t most_bytes)
    : source_(std::move(source)), budget_(budget), most_bytes_(most_bytes) {}
PackedCache::~PackedCache() = default;

std::size_t PackedCache::least_bytes(const MatrixShape& shape) {
  return shape.nnz < 0 ? 0 : static_cast<std::size_t>(shape.nnz) * 3 + static_cast<std::size_t>(shape.n_rows + 1) * sizeof(std::int32_t);
}

std::size_t PackedCache::bytes_kept() const {
  std::size_t bytes = 0;
  for (const HostBlock& slab : slabs_) bytes += slab.size();
  return bytes;
}

// ---- planning

// Of what has been packed only the rows without a gap from the first on count: after a pass that was broken off, some may be missing.
void PackedCache::settle() {
  std::sort(fresh_.begin(), fresh_.end(), [](const PackedBlock& a, const PackedBlock& b) { return a.rows.first < b.rows.first; });
  for (const PackedBlock& block : fresh_) {
    if (block.rows.first != kept_rows_) break;
    kept_rows_ = block.rows.last;
    blocks_.push_back(block);
  }
  fresh_.clear();
}

void PackedCache::forget() {
  blocks_.clear();
  slabs_.clear();
  kept_rows_ = 0;
  full_ = true;
}

SourcePlan PackedCache::plan(const ChunkTargets& targets) {
  settle();
  SourcePlan plan;
  if (!keeps_all()) {
    ChunkTargets rest = targets;
    rest.first_row = kept_rows_;
    plan = source_->plan(rest);
    if (plan.first_row != kept_rows_) forget();
  }
  if (kept_rows_ > 0) plan_kept(targets, plan);
  plan.first_row = 0;
  planned_chunks_ = plan.n_chunks;
  return plan;
}

void PackedCache::plan_kept(const ChunkTargets& targets, SourcePlan& plan) {
  max_nnz_ = std::clamp<std::int64_t>(targets.chunk_nnz, 1, most_chunk_nnz);
  max_rows_ = std::clamp<std::int64_t>(targets.chunk_nnz / 8, 1, targets.max_rows);
  for (const PackedBlock& block : blocks_) {
    for (RowRange rows{block.rows.first, block.rows.first}; rows.last < block.rows.last; ++plan.n_chunks) {
      rows = rows_within(block, rows.last, max_nnz_, max_rows_);
      const std::int32_t* offsets = block.offsets() - block.rows.first;
      plan.slot.max_rows = std::max(plan.slot.max_rows, static_cast<std::int32_t>(rows.size()));
      plan.slot.max_nnz = std::max(plan.slot.max_nnz, offsets[rows.last] - offsets[rows.first]);
    }
  }
}

std::unique_ptr<ChunkBuffer::Pending> PackedCache::make_pending() const { return keeps_all() ? nullptr : source_->make_pending(); }

// ---- a pass

void PackedCache::start(std::span<std::byte> shared) {
  packs_ = fresh_.empty() && !full_;
  if (packs_ && !keeps_all()) fresh_.reserve(static_cast<std::size_t>(planned_chunks_));
  next_row_ = sequence_ = 0;
  if (!keeps_all()) source_->start(shared);
}

bool PackedCache::fetch(ChunkBuffer& slot) {
  if (next_row_ < kept_rows_)
    slot.rows = rows_within(block_of(next_row_), next_row_, max_nnz_, max_rows_);
  else if (keeps_all() || !source_->fetch(slot))
    return false;
  next_row_ = slot.rows.last;
  slot.sequence = sequence_++;
  return true;
}

void PackedCache::decode(ChunkBuffer& slot) {
  if (slot.rows.last <= kept_rows_) return unpack_rows(block_of(slot.rows.first), slot);
  source_->decode(slot);
  if (packs_) keep(slot);
}

const PackedBlock& PackedCache::block_of(std::int64_t row) const {
  return *std::partition_point(blocks_.begin(), blocks_.end(), [&](const PackedBlock& block) { return block.rows.last <= row; });
}

void PackedCache::keep(const ChunkBuffer& chunk) {
  {
    const std::scoped_lock lock(mutex_);
    if (full_) return;
  }
  PackedBlock block = plan_block(chunk, shape().n_cols);
  {
    const std::scoped_lock lock(mutex_);
    if (!full_) block.at = allocate(block.bytes());
    full_ = block.at == nullptr;
    if (full_) return;
  }
  pack_block(chunk, block);
  const std::scoped_lock lock(mutex_);
  fresh_.push_back(block);
}

// Null when the room, or the budget, is used up.
std::byte* PackedCache::allocate(std::size_t bytes) {
  if (slabs_.empty() || slabs_.back().size() - slab_used_ < bytes) {
    const std::size_t left = std::min(most_bytes_ - std::min(most_bytes_, bytes_kept()), budget_.available());
    if (left < bytes) return nullptr;
    try {
      slabs_.emplace_back(pageable_memory(), budget_.claim("packed cache", std::clamp(slab_bytes, bytes, left)));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::resources) throw;
      return nullptr;
    }
    slab_used_ = 0;
  }
  return slabs_.back().data() + std::exchange(slab_used_, slab_used_ + bytes);
}

}  // namespace quern
