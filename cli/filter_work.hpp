// What `quern filter` finds out in its deciding pass.
#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "cli/filter_run.hpp"
#include "host/cpu/gene_tally.hpp"
#include "host/cpu/lease_pool.hpp"
#include "host/pipeline/chunk_walk.hpp"

namespace quern::cli {

// What is known of the cells; the vectors are of all cells, or empty where no rule asks.
struct CellFacts {
  std::vector<std::uint8_t> kept;  // in: by the lists; out: by the rules, too
  std::vector<std::int32_t> n_genes;
  std::vector<double> counts;
};

// What a cell is judged by, beside its rules: sums are rounded to float before they are compared where their column would be float32.
struct DecideOptions {
  std::int64_t n_vars = 0;
  bool narrow_sums = false;
  std::span<const std::uint32_t> set_members;  // of every gene: bit q set when it is in set q
};

// Decides about every cell and tallies the genes of those that stay, in the same pass: a cell's fate depends on its own row alone.
class DecideCells final : public ChunkWork {
 public:
  DecideCells(const DecideOptions& options, std::span<const FilterRule> rules, CellFacts& cells, LeasePool<GeneTally>* tallies);
  void compute(ChunkSlot& slot) override;
  void hand_on(ChunkSlot&) override {}
  const std::vector<std::int64_t>& n_failing() const { return n_failing_; }  // of each rule

 private:
  double measured(const FilterRule& rule, const ChunkSlot& slot, std::size_t row, std::span<const double> shares) const;
  void find_shares(const CsrChunkView<MemorySpace::host>& chunk, std::size_t set, const double* totals, std::span<double> shares) const;
  void judge(const FilterRule& rule, std::size_t which, const ChunkSlot& slot, std::span<const double> shares,
             std::span<std::uint8_t> kept);
  DecideOptions options_;
  std::span<const FilterRule> rules_;
  CellFacts& cells_;
  LeasePool<GeneTally>* tallies_;                   // null: no rule asks about genes
  std::vector<std::vector<std::uint8_t>> outside_;  // of every set: 1 for genes that are not in it
  std::mutex mutex_;                                // of n_failing_
  std::vector<std::int64_t> n_failing_;
};

}  // namespace quern::cli
