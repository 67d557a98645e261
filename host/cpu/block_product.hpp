// X transposed times X times a block of vectors, a block of rows at a time.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"
#include "host/cpu/krylov.hpp"
#include "host/cpu/lease_pool.hpp"

namespace quern {

// Blocks begin at multiples of this: what is added to what depends on nothing else.
constexpr std::int64_t block_product_rows = 1024;

class BlockProduct {
 public:
  // For rows with at most most_values values in a block.
  BlockProduct(std::int64_t n_genes, std::int64_t width, std::int64_t most_values, int threads, MemoryBudget& budget);
  static std::size_t bytes(std::int64_t n_genes, std::int64_t width, std::int64_t most_values, int threads);
  // Adds of the next block of rows to `out`; in the threads of the arena it is called in. With `moments` also the sums of the genes.
  void add(const CsrChunkView<MemorySpace::host>& rows, std::span<const double> block, std::span<double> out, RowMoments* moments);

 private:
  struct Scratch {
    std::vector<std::uint32_t> starts;
    std::vector<double> values, sums;
  };
  template <class V>
  void sort_by_gene(const CsrChunkView<MemorySpace::host>& rows, RowMoments* moments);
  template <class V>
  void multiply_rows(const CsrChunkView<MemorySpace::host>& rows, std::span<const double> block);
  static std::vector<std::unique_ptr<Scratch>> make_scratch(std::int64_t n_genes, std::int64_t width, int threads);
  std::int64_t n_genes_, width_;
  HostBlock block_;
  double *values_ = nullptr, *products_ = nullptr;
  std::uint32_t* rows_ = nullptr;    // of an entry: the start of its row in products_
  std::vector<std::uint32_t> ends_;  // of each gene
  LeasePool<Scratch> scratch_;
};

}  // namespace quern
