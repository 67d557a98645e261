// Products of genes with genes, summed over rows: the Gram matrix of selected genes, and their sums.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "host/core/backend.hpp"
#include "host/core/csr_chunk.hpp"
#include "host/core/memory.hpp"

namespace quern {

// The same bits for any number of threads: every sum has one place, and its blocks are added in order.
class GramSum final : public GeneProducts {
 public:
  // Claims bytes(n_genes, threads).
  GramSum(std::int64_t n_genes, int threads, MemoryBudget& budget);
  ~GramSum() override;
  GramSum(const GramSum&) = delete;
  GramSum& operator=(const GramSum&) = delete;
  static std::size_t bytes(std::int64_t n_genes, int threads);

  // The next gram_block_rows(n_genes) rows, or the last ones; columns are genes. Uses the threads of the arena it is called in.
  void add(const CsrChunkView<MemorySpace::host>& block) override;

  // After the last block, once: the symmetric matrix, n_genes x n_genes, whose memory stays this object's. What added blocks is given back.
  std::span<double> finish() override;
  std::span<const double> sums() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quern
