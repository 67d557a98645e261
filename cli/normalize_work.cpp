#include "cli/normalize_work.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cli/qc_summary.hpp"
#include "host/cpu/value_mapping.hpp"

namespace quern::cli {
namespace {

// The slot's room for one number a row.
double* row_numbers(ChunkSlot& slot) { return reinterpret_cast<double*>(slot.packet.block.totals); }

std::int64_t count_nan(ValueType type, const std::byte* values, std::size_t n) {
  const auto count = [n](const auto* typed) { return std::count_if(typed, typed + n, [](auto value) { return std::isnan(value); }); };
  return type == ValueType::f32 ? count(reinterpret_cast<const float*>(values)) : count(reinterpret_cast<const double*>(values));
}

// Counts alone stay numbers.
bool may_become_nan(const ChunkFacts& facts) { return facts.has_negative || facts.has_nan || facts.has_infinity; }

std::size_t n_rows_of(const ChunkSlot& slot) { return static_cast<std::size_t>(slot.chunk.rows.size()); }

}  // namespace

void FindDominantGenes::compute(ChunkSlot& slot) {
  const auto chunk = view_of(slot.chunk, static_cast<std::int64_t>(seen_.size()));
  row_totals(chunk, {}, row_numbers(slot));
  find_dominant_genes(chunk, row_numbers(slot), max_fraction_, seen_);
}

void CollectTotals::compute(ChunkSlot& slot) { row_totals(view_of(slot.chunk, n_vars_), left_out_, row_numbers(slot)); }

void CollectTotals::hand_on(ChunkSlot& slot) {
  std::copy_n(row_numbers(slot), n_rows_of(slot), totals_.begin() + slot.chunk.rows.first);
  rearranged_ = rearranged_ || slot.chunk.rearranged;
}

// Totals become size factors, and those divisors: where the factor is 0 (n_nonzero of the row then says so), the cell is divided by 1.
void WriteNormalized::compute(ChunkSlot& slot) {
  const auto chunk = view_of(slot.chunk, options_.n_vars);
  double* divisors = row_numbers(slot);
  std::int32_t* is_zero = slot.packet.block.n_nonzero;
  if (options_.totals.empty())
    row_totals(chunk, options_.left_out, divisors);
  else
    std::copy_n(options_.totals.begin() + chunk.first_row, n_rows_of(slot), divisors);
  for (std::size_t r = 0; r < n_rows_of(slot); ++r) {
    divisors[r] /= options_.target_sum;
    is_zero[r] = divisors[r] == 0;
    if (is_zero[r]) divisors[r] = 1;
  }
  const auto n = static_cast<std::size_t>(slot.chunk.offsets[n_rows_of(slot)]);
  const bool looks = may_become_nan(slot.chunk.facts);
  if (looks) n_made_nan_ -= count_nan(slot.chunk.value_type, slot.chunk.values, n);
  mapping_.submit(chunk, divisors, slot.chunk.values);
  if (looks) n_made_nan_ += count_nan(options_.value_type, slot.chunk.values, n);
}

void WriteNormalized::hand_on(ChunkSlot& slot) {
  const std::size_t n_rows = n_rows_of(slot);
  const std::span<double> factors(row_numbers(slot), n_rows);
  const auto n = static_cast<std::size_t>(slot.chunk.offsets[n_rows]);
  const std::span<const std::byte> values(slot.chunk.values, n * size_of(options_.value_type));
  row_sizes_.resize(n_rows);
  for (std::size_t r = 0; r < n_rows; ++r) {
    row_sizes_[r] = slot.chunk.offsets[r + 1] - slot.chunk.offsets[r];
    if (slot.packet.block.n_nonzero[r] == 0) continue;
    factors[r] = 0;
    ++n_empty_;
  }
  hashes_[0].add_bits(values);
  hashes_[1].add_bits(std::as_bytes(std::span(slot.chunk.columns, n)));
  hashes_[2].add(std::span<const std::int32_t>(row_sizes_));
  hashes_[3].add(std::span<const double>(factors));
  if (!options_.factors.empty()) std::copy(factors.begin(), factors.end(), options_.factors.begin() + slot.chunk.rows.first);
  out_.append(slot.chunk, values);
}

double median_of_positive(std::span<const double> totals) {
  std::vector<double> positive;
  positive.reserve(totals.size());
  std::copy_if(totals.begin(), totals.end(), std::back_inserter(positive), [](double total) { return total > 0; });
  return median(positive);
}

}  // namespace quern::cli
