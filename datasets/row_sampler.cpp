#include <algorithm>
#include <bit>
#include <utility>

#include "datasets/cell_model.hpp"
#include "datasets/random.hpp"

namespace quern::datasets {
namespace {

// Limits of 16 random bits for a burst of 1, 2, 3 ... counts: the logarithmic distribution with p = 0.06.
constexpr std::uint32_t kBurstLimits[] = {63549, 65456, 65532, 65535};

std::uint32_t burst_size(std::uint32_t random16) {
  std::uint32_t size = 1;
  while (size <= std::size(kBurstLimits) && random16 >= kBurstLimits[size - 1]) ++size;
  return size;
}

}  // namespace

RowSampler::RowSampler(const CellModel& model, const GeneCatalog& genes)
    : model_(model), genes_(genes), counts_(genes.size()), occupied_((genes.size() + 63) / 64) {}

bool RowSampler::add(std::uint32_t gene, std::uint32_t count) {
  const bool fresh = counts_[gene] == 0;
  if (fresh) occupied_[gene / 64] |= std::uint64_t{1} << (gene % 64);
  counts_[gene] += count;
  return fresh;
}

// Returns how many distinct genes are still missing after as many bursts as a deep cell has.
std::int32_t RowSampler::burst(std::int64_t number, const Cell& cell) {
  const SourceMix mix = model_.mix_of(number, cell);
  RandomStream random(model_.spec_.seed, Purpose::cell_reads, static_cast<std::uint64_t>(number));
  std::int32_t missing = cell.n_genes;
  for (std::int64_t left = 30LL * cell.n_genes; missing > 0 && left > 0; --left) {
    const std::uint64_t bits = random.bits();
    const auto source = static_cast<std::uint32_t>(bits & 0xffff);
    const AliasTable* table = &model_.base_;
    if (source < mix.programmes[2]) {
      if (source < mix.mito)
        table = &model_.mito_;
      else if (source < mix.ribo)
        table = &model_.ribo_;
      else if (source < mix.ambient)
        table = &model_.ambient_;
      else if (source < mix.programmes[0])
        table = &model_.programmes_[mix.programme_ids[0]];
      else if (source < mix.programmes[1])
        table = &model_.programmes_[mix.programme_ids[1]];
      else
        table = &model_.programmes_[mix.programme_ids[2]];
    }
    missing -= add(table->draw(static_cast<std::uint32_t>(bits >> 32)), burst_size((bits >> 16) & 0xffff)) ? 1 : 0;
  }
  return missing;
}

// A cell that asks for more genes than its profile yields gets single counts of the next genes it lacks.
void RowSampler::fill_up(std::int64_t number, std::int32_t missing) {
  const auto n_genes = static_cast<std::uint32_t>(counts_.size());
  std::uint32_t gene = RandomStream(model_.spec_.seed, Purpose::cell_reads, ~static_cast<std::uint64_t>(number)).below(n_genes);
  for (; missing > 0; gene = gene + 1 == n_genes ? 0 : gene + 1)
    if (counts_[gene] == 0) missing -= add(gene, 1) ? 1 : 0;
}

RowSampler::Totals RowSampler::emit(std::int32_t* columns, std::uint32_t* counts) {
  Totals totals;
  for (std::size_t word = 0; word < occupied_.size(); ++word) {
    for (std::uint64_t left = occupied_[word]; left != 0; left &= left - 1) {
      const std::size_t gene = word * 64 + static_cast<std::size_t>(std::countr_zero(left));
      const std::uint32_t count = std::exchange(counts_[gene], 0);
      *columns++ = static_cast<std::int32_t>(gene);
      *counts++ = count;
      totals.counts += count;
      if (genes_.classes[gene] == GeneClass::mitochondrial) totals.mito += count;
      if (genes_.classes[gene] == GeneClass::ribosomal) totals.ribo += count;
    }
    occupied_[word] = 0;
  }
  return totals;
}

RowSampler::Totals RowSampler::sample(std::int64_t number, const Cell& cell, std::int32_t* columns, std::uint32_t* counts) {
  fill_up(number, burst(number, cell));
  return emit(columns, counts);
}

}  // namespace quern::datasets
