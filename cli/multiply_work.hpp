// What `quern multiply` does with each chunk.
#pragma once
#include <cstdint>
#include <functional>
#include <span>

#include "host/core/backend.hpp"
#include "host/pipeline/chunk_walk.hpp"

namespace quern::cli {

// Gets rows of the result, in order.
using TakeRows = std::function<void(std::span<const double> row_after_row)>;

// A chunk whose columns and values nobody wants after the product.
inline CsrChunkView<MemorySpace::host> last_view_of(const ChunkBuffer& chunk, std::int64_t n_vars) {
  CsrChunkView<MemorySpace::host> view = view_of(chunk, n_vars);
  view.overwritable = true;
  return view;
}

// X times B: the rows of each chunk, handed on as they come. The walk's options.numbers_per_row is n_columns.
class MultiplyRows final : public ChunkWork {
 public:
  MultiplyRows(std::int64_t n_vars, std::int64_t n_columns, Product& product, TakeRows take)
      : n_vars_(n_vars), n_columns_(n_columns), product_(product), take_(std::move(take)) {}
  void compute(ChunkSlot& slot) override { product_.multiply(last_view_of(slot.chunk, n_vars_), numbers(slot)); }
  void hand_on(ChunkSlot& slot) override { take_({numbers(slot), static_cast<std::size_t>(slot.chunk.rows.size() * n_columns_)}); }

 private:
  static double* numbers(ChunkSlot& slot) { return reinterpret_cast<double*>(slot.packet.block.top); }
  std::int64_t n_vars_, n_columns_;
  Product& product_;
  TakeRows take_;
};

// X transposed times B: chunk after chunk.
class FoldProduct final : public ChunkWork {
 public:
  FoldProduct(std::int64_t n_vars, Product& product) : n_vars_(n_vars), product_(product) {}
  void compute(ChunkSlot&) override {}
  void hand_on(ChunkSlot& slot) override { product_.fold(last_view_of(slot.chunk, n_vars_)); }

 private:
  std::int64_t n_vars_;
  Product& product_;
};

}  // namespace quern::cli
