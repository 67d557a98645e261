#include "host/pipeline/selected_rows.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "host/core/error.hpp"

namespace quern {
namespace {

std::size_t most_values(const GeneSelection& genes, const SelectedRowsShape& shape) {
  const std::int64_t all = std::min(shape.block_rows, shape.n_rows) * genes.n_selected();
  return static_cast<std::size_t>(shape.nnz < 0 ? all : std::min(all, shape.nnz));
}

}  // namespace

GeneSelection::GeneSelection(std::span<const std::uint8_t> kept) : places_(kept.size(), left_out) {
  genes_.reserve(static_cast<std::size_t>(std::count_if(kept.begin(), kept.end(), [](std::uint8_t flag) { return flag != 0; })));
  for (std::size_t gene = 0; gene < kept.size(); ++gene) {
    if (kept[gene] == 0) continue;
    places_[gene] = static_cast<std::uint32_t>(genes_.size());
    genes_.push_back(static_cast<std::uint32_t>(gene));
  }
}

std::size_t SelectRows::bytes(const GeneSelection& genes, const SelectedRowsShape& shape, ValueType type) {
  const std::size_t n = most_values(genes, shape);
  return aligned(n * sizeof(std::uint32_t)) + aligned(n * size_of(type)) +
         static_cast<std::size_t>(shape.block_rows) * sizeof(std::int32_t);
}

SelectRows::SelectRows(const GeneSelection& genes, const SelectedRowsShape& shape, ValueType type, BlockUser& user, MemoryBudget& budget)
    : genes_(genes),
      shape_(shape),
      type_(type),
      user_(user),
      block_(pageable_memory(), budget.claim("rows of the selected genes", bytes(genes, shape, type))) {
  columns_ = reinterpret_cast<std::uint32_t*>(block_.data());
  values_ = block_.data() + aligned(most_values(genes, shape) * sizeof(std::uint32_t));
  offsets_.reserve(static_cast<std::size_t>(shape.block_rows) + 1);
  offsets_.push_back(0);
}

// Moves the selected entries of each row to its start, their columns replaced by places.
template <class V>
void SelectRows::select(const ChunkBuffer& chunk, std::int32_t* n_selected) const {
  V* const values = chunk.values_as<V>();
  for (std::int64_t row = 0; row < chunk.rows.size(); ++row) {
    std::int32_t to = chunk.offsets[row];
    for (std::int32_t i = to; i < chunk.offsets[row + 1]; ++i) {
      const std::uint32_t place = genes_.place_of(chunk.columns[i]);
      chunk.columns[to] = place;
      values[to] = values[i];
      to += place != GeneSelection::left_out;
    }
    n_selected[row] = to - chunk.offsets[row];
  }
}

template <class V>
void SelectRows::refuse_infinite(const ChunkBuffer& chunk, const std::int32_t* n_selected) const {
  const V* const values = chunk.values_as<V>();
  for (std::int64_t row = 0; row < chunk.rows.size(); ++row)
    for (std::int32_t i = chunk.offsets[row]; i < chunk.offsets[row] + n_selected[row]; ++i)
      if (!std::isfinite(values[i]))
        throw input_error("not-finite", "cell " + std::to_string(chunk.rows.first + row + 1),
                          "its value of gene " + std::to_string(genes_.genes()[chunk.columns[i]] + 1) +
                              (std::isnan(values[i]) ? " is NaN" : " is infinite") + ", from which no product of genes can be made",
                          "leave such genes or cells out (quern filter, --genes)");
}

void SelectRows::compute(ChunkSlot& slot) {
  std::int32_t* const n_selected = slot.packet.block.n_nonzero;
  const bool narrow = slot.chunk.value_type == ValueType::f32, finite = !slot.chunk.facts.has_nan && !slot.chunk.facts.has_infinity;
  narrow ? select<float>(slot.chunk, n_selected) : select<double>(slot.chunk, n_selected);
  if (!finite) narrow ? refuse_infinite<float>(slot.chunk, n_selected) : refuse_infinite<double>(slot.chunk, n_selected);
}

void SelectRows::append(const ChunkBuffer& chunk, std::int32_t row, std::int32_t n) {
  const auto from = static_cast<std::size_t>(chunk.offsets[row]), to = static_cast<std::size_t>(offsets_.back()), size = size_of(type_);
  std::copy_n(chunk.columns + from, n, columns_ + to);
  std::memcpy(values_ + to * size, chunk.values + from * size, static_cast<std::size_t>(n) * size);
  offsets_.push_back(offsets_.back() + n);
}

void SelectRows::hand_on(ChunkSlot& slot) {
  for (std::int64_t row = 0; row < slot.chunk.rows.size(); ++row) {
    append(slot.chunk, static_cast<std::int32_t>(row), slot.packet.block.n_nonzero[row]);
    const std::int64_t done = slot.chunk.rows.first + row + 1;
    if (done - first_row_ == shape_.block_rows || done == shape_.n_rows) hand_over();
  }
}

void SelectRows::hand_over() {
  const auto n_rows = static_cast<std::int32_t>(offsets_.size() - 1);
  CsrChunkView<MemorySpace::host> block{first_row_, n_rows, genes_.n_selected(), offsets_.data(), columns_, values_, type_, {}};
  user_.take(block);
  first_row_ += n_rows;
  n_values_ += offsets_.back();
  offsets_.resize(1);
}

}  // namespace quern
