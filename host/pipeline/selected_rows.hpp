// Rows of the genes that were asked for, in blocks that begin at fixed rows whatever the chunks are.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "host/core/memory.hpp"
#include "host/pipeline/chunk_walk.hpp"

namespace quern {

// Some of the genes of a matrix, numbered by their order in it.
class GeneSelection {
 public:
  static constexpr std::uint32_t left_out = 0xffffffff;
  GeneSelection() = default;
  // kept[gene] is 0 for those that are left out.
  explicit GeneSelection(std::span<const std::uint8_t> kept);
  static std::size_t bytes(std::int64_t n_genes) { return static_cast<std::size_t>(n_genes) * 2 * sizeof(std::uint32_t); }

  std::int64_t n_selected() const { return static_cast<std::int64_t>(genes_.size()); }
  std::int64_t n_genes() const { return static_cast<std::int64_t>(places_.size()); }
  std::span<const std::uint32_t> genes() const { return genes_; }             // of the matrix, ascending
  std::uint32_t place_of(std::uint32_t gene) const { return places_[gene]; }  // in the selection, or left_out

 private:
  std::vector<std::uint32_t> genes_, places_;
};

// Who is handed the blocks, in row order; the columns of a block are places in the selection. Its values are finite.
class BlockUser {
 public:
  virtual ~BlockUser() = default;
  virtual void take(const CsrChunkView<MemorySpace::host>& block) = 0;
};

struct SelectedRowsShape {
  std::int64_t n_rows = 0, block_rows = 1;
  std::int64_t nnz = -1;  // of the whole matrix; -1: unknown
};

// What a walk over the matrix does to make the blocks. A selected value that is not finite: input_error("not-finite").
class SelectRows final : public ChunkWork {
 public:
  // Claims bytes(...).
  SelectRows(const GeneSelection& genes, const SelectedRowsShape& shape, ValueType type, BlockUser& user, MemoryBudget& budget);
  static std::size_t bytes(const GeneSelection& genes, const SelectedRowsShape& shape, ValueType type);
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot& slot) override;
  std::int64_t n_values() const { return n_values_; }  // selected so far

 private:
  template <class V>
  void select(const ChunkBuffer& chunk, std::int32_t* n_selected) const;
  template <class V>
  void refuse_infinite(const ChunkBuffer& chunk, const std::int32_t* n_selected) const;
  void append(const ChunkBuffer& chunk, std::int32_t row, std::int32_t n);
  void hand_over();
  const GeneSelection& genes_;
  SelectedRowsShape shape_;
  ValueType type_;
  BlockUser& user_;
  HostBlock block_;
  std::uint32_t* columns_ = nullptr;
  std::byte* values_ = nullptr;
  std::vector<std::int32_t> offsets_;
  std::int64_t first_row_ = 0, n_values_ = 0;
};

}  // namespace quern
