// In how many of the cells seen a gene is above 0, and what its values add up to. One thread's; folded at the end.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "host/core/csr_chunk.hpp"
#include "host/ops/exact_sum.hpp"

namespace quern {

struct GeneTallyWants {
  bool positive = false, sums = false;
};

class GeneTally {
 public:
  GeneTally(std::int64_t n_genes, GeneTallyWants wants) : n_genes_(static_cast<std::size_t>(n_genes)), wants_(wants) {
    if (wants.positive) positive_.resize(n_genes_);
  }
  // Of one tally. `whole`: every value will be a whole number; else room for exact sums of values of this type is counted, too.
  static std::size_t bytes(std::int64_t n_genes, GeneTallyWants wants, bool whole, ValueType type);

  // Adds the rows of the chunk whose flag is not 0; `kept` has one for each of its rows. All chunks have values of the same type.
  void observe(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> kept);
  void combine(const GeneTally& other);

  std::int64_t n_positive(std::size_t gene) const { return positive_[gene]; }
  double sum(std::size_t gene) const;  // exact for whole numbers as long as a double holds it, else correctly rounded

 private:
  using NarrowSum = ExactSums<float>::Sum;
  using WideSum = ExactSums<double>::Sum;
  template <class V>
  void observe_values(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> kept);
  template <class Sum>
  void observe_reals(const CsrChunkView<MemorySpace::host>& chunk, std::span<const std::uint8_t> kept, std::vector<Sum>& sums);

  std::size_t n_genes_;
  GeneTallyWants wants_;
  std::vector<std::uint32_t> positive_;
  // Each empty until it is needed: chunks of whole numbers go to the first, others to one of the others.
  std::vector<std::int64_t> whole_;
  std::vector<NarrowSum> narrow_;
  std::vector<WideSum> wide_;
  std::int64_t rows_since_carry_ = 0;
};

// The number of values above 0 in each row: n_positive[n_rows].
void count_positive(const CsrChunkView<MemorySpace::host>& chunk, std::int32_t* n_positive);

}  // namespace quern
