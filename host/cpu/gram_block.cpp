#include "host/cpu/gram_block.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>

namespace quern {
namespace {

std::size_t panel_bytes(std::int64_t n_genes, std::int64_t n_rows) {
  const std::int64_t width = (n_genes + GramBlock::panel_width - 1) / GramBlock::panel_width * GramBlock::panel_width;
  return aligned(static_cast<std::size_t>(n_rows * width) * sizeof(double));
}

// Every gene may be just not dense.
std::size_t most_sparse(std::int64_t n_genes, std::int64_t n_rows) {
  return static_cast<std::size_t>((n_rows / GramBlock::dense_share + 1) * n_genes);
}

template <class V>
void add_values(const CsrChunkView<MemorySpace::host>& rows, std::span<std::uint32_t> counts, std::span<double> sums) {
  const V* values = rows.values_as<V>();
  for (std::int32_t i = 0; i < rows.nnz(); ++i) {
    ++counts[rows.columns[i]];
    sums[rows.columns[i]] += static_cast<double>(values[i]);
  }
}

}  // namespace

std::size_t GramBlock::bytes(std::int64_t n_genes, std::int64_t most_rows) {
  const std::size_t entries = most_sparse(n_genes, most_rows);
  return panel_bytes(n_genes, most_rows) + aligned(entries * sizeof(double)) + 3 * aligned(entries * sizeof(std::uint32_t));
}

GramBlock::GramBlock(std::int64_t n_genes, std::int64_t most_rows, MemoryBudget& budget)
    : block_(pageable_memory(), budget.claim("a block of rows for products of genes", bytes(n_genes, most_rows))),
      counts_(static_cast<std::size_t>(n_genes)),
      index_(counts_.size()),
      next_(counts_.size()),
      row_ends_(static_cast<std::size_t>(most_rows)),
      row_starts_(row_ends_.size()),
      is_dense_(counts_.size()) {
  const std::size_t entries = most_sparse(n_genes, most_rows);
  std::byte* at = block_.data();
  const auto cut = [&](std::size_t n_bytes) {
    std::byte* piece = at;
    at += aligned(n_bytes);
    return piece;
  };
  panels_ = reinterpret_cast<double*>(cut(panel_bytes(n_genes, most_rows)));
  values_ = reinterpret_cast<double*>(cut(entries * sizeof(double)));
  for (std::uint32_t** array : {&genes_, &places_, &panel_rows_})
    *array = reinterpret_cast<std::uint32_t*>(cut(entries * sizeof(std::uint32_t)));
  dense_.reserve(counts_.size());
  sparse_.reserve(counts_.size());
  starts_.reserve(counts_.size() + 1);
}

void GramBlock::count(const CsrChunkView<MemorySpace::host>& rows, std::span<double> sums) {
  std::fill(counts_.begin(), counts_.end(), 0);
  if (rows.value_type == ValueType::f32)
    add_values<float>(rows, counts_, sums);
  else
    add_values<double>(rows, counts_, sums);
}

void GramBlock::choose() {
  dense_.clear();
  sparse_.clear();
  starts_.assign(1, 0);
  for (std::uint32_t gene = 0; gene < counts_.size(); ++gene) {
    is_dense_[gene] = counts_[gene] * dense_share > n_rows_;
    std::vector<std::uint32_t>& genes = is_dense_[gene] ? dense_ : sparse_;
    index_[gene] = static_cast<std::uint32_t>(genes.size());
    if (!is_dense_[gene]) {
      next_[genes.size()] = starts_.back();
      starts_.push_back(starts_.back() + counts_[gene]);
    }
    genes.push_back(gene);
  }
}

// Values of dense genes go into the panels, those of the others are moved together.
template <class V>
void GramBlock::take_row(const CsrChunkView<MemorySpace::host>& rows, std::int32_t row) {
  const V* values = rows.values_as<V>();
  const std::int64_t row_at = row * panel_width, panel_size = n_rows_ * panel_width;
  for (std::int64_t p = 0; p < n_panels(); ++p) std::fill_n(panels_ + p * panel_size + row_at, panel_width, 0.0);
  std::uint32_t at = row_starts_[static_cast<std::size_t>(row)];
  for (std::int32_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
    const std::uint32_t gene = rows.columns[i];
    const auto value = static_cast<double>(values[i]);
    if (is_dense_[gene]) {
      const std::int64_t index = index_[gene];
      panels_[index / panel_width * panel_size + row_at + index % panel_width] = value;
    } else {
      genes_[at] = gene;
      values_[at++] = value;
    }
  }
}

// Where the sparse entries of each row begin and end, and the same entries by gene.
void GramBlock::sort_by_gene(const CsrChunkView<MemorySpace::host>& rows) {
  std::uint32_t at = 0;
  for (std::int32_t row = 0; row < rows.n_rows; ++row) {
    row_starts_[static_cast<std::size_t>(row)] = at;
    for (std::int32_t i = rows.offsets[row]; i < rows.offsets[row + 1]; ++i) {
      const std::uint32_t gene = rows.columns[i];
      if (is_dense_[gene]) continue;
      const std::uint32_t to = next_[index_[gene]]++;
      places_[to] = at++;
      panel_rows_[to] = static_cast<std::uint32_t>(row * panel_width);
    }
    row_ends_[static_cast<std::size_t>(row)] = at;
  }
}

void GramBlock::split(const CsrChunkView<MemorySpace::host>& rows, std::span<double> sums) {
  n_rows_ = rows.n_rows;
  count(rows, sums);
  choose();
  sort_by_gene(rows);
  tbb::parallel_for(tbb::blocked_range<std::int32_t>(0, rows.n_rows, 64), [&](const tbb::blocked_range<std::int32_t>& range) {
    for (std::int32_t row = range.begin(); row < range.end(); ++row)
      rows.value_type == ValueType::f32 ? take_row<float>(rows, row) : take_row<double>(rows, row);
  });
}

}  // namespace quern
