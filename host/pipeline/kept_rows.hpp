// Decode once: the rows of the selected genes, narrowed, as a first walk made them; later passes read them from here.
#pragma once
#include <cstdint>
#include <vector>

#include "host/pipeline/selected_rows.hpp"

namespace quern {

// 6 bytes a value (10 for 64-bit floats; 2 more where more than 65,536 genes are selected), 4 a row. All of the rows or none: what later
// passes see is the same either way.
class KeptRows {
 public:
  // Claims up to `most_bytes` from `budget`, which outlives this, as blocks come; gives all of it back when that is not enough.
  KeptRows(MemoryBudget& budget, std::size_t most_bytes) : budget_(budget), most_bytes_(most_bytes) {}
  void restart();
  void keep(const CsrChunkView<MemorySpace::host>& block);  // in row order
  bool holds(std::int64_t n_rows) const { return n_rows_ == n_rows; }
  std::size_t bytes() const { return bytes_; }
  // Hands the blocks on again, in an arena of `threads` threads. Claims a block's columns.
  void replay(BlockUser& user, int threads);

 private:
  struct Block {
    std::int64_t first_row, n_genes;
    std::int32_t n_rows, nnz;
    ValueType type;
    HostBlock memory;  // offsets, values, columns
  };
  static std::size_t bytes_of(const CsrChunkView<MemorySpace::host>& block);
  MemoryBudget& budget_;
  std::size_t most_bytes_, bytes_ = 0;
  std::int64_t n_rows_ = 0;  // -1: given up
  std::int32_t most_nnz_ = 0;
  std::vector<Block> blocks_;
};

// Hands blocks on and keeps them.
class KeepBlocks final : public BlockUser {
 public:
  KeepBlocks(BlockUser& next, KeptRows& kept) : next_(next), kept_(kept) { kept.restart(); }
  void take(const CsrChunkView<MemorySpace::host>& block) override {
    next_.take(block);
    kept_.keep(block);
  }

 private:
  BlockUser& next_;
  KeptRows& kept_;
};

}  // namespace quern
