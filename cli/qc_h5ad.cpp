#include "cli/qc_h5ad.hpp"

#include <algorithm>
#include <cstring>

#include "host/ops/log1p.hpp"

namespace quern::cli {
namespace {

using io::ColumnType;

// Whole numbers beyond what a float column can hold exactly are rounded once, as every other value.
template <class T>
void put(std::byte* out, std::size_t i, T value) {
  std::memcpy(out + i * sizeof(T), &value, sizeof(T));
}

void put_as(ColumnType type, std::byte* out, std::size_t i, Total value, bool whole) {
  switch (type) {
    case ColumnType::boolean:
      return put(out, i, static_cast<std::int8_t>(value.whole != 0));
    case ColumnType::int32:
      return put(out, i, static_cast<std::int32_t>(value.whole));
    case ColumnType::int64:
    case ColumnType::uint64:
      return put(out, i, whole ? value.whole : static_cast<std::int64_t>(value.real));
    case ColumnType::float32:
      return put(out, i, static_cast<float>(as_real(value, whole)));
    case ColumnType::float64:
      return put(out, i, as_real(value, whole));
  }
}

Total whole_number(std::int64_t value) {
  Total total{};
  total.whole = value;
  return total;
}
Total real_number(double value) {
  Total total{};
  total.real = value;
  return total;
}

}  // namespace

QcAnnotations::Types QcAnnotations::types_for(const io::MatrixInfo& matrix) {
  Types types{ColumnType::int64, ColumnType::int64, ColumnType::int64, ColumnType::float64};
  if (matrix.storage == io::Storage::csr) types.cell_count = ColumnType::int32;
  if (matrix.storage == io::Storage::csc) types.gene_count = ColumnType::int32;
  const std::string& stored = matrix.data.type;
  if (stored == "float32" || stored == "float16")
    types.sum = types.share = ColumnType::float32;
  else if (stored == "float64")
    types.sum = ColumnType::float64;
  else if (stored.starts_with("uint"))
    types.sum = ColumnType::uint64;
  return types;
}

QcAnnotations::QcAnnotations(QcColumns columns, const GeneSets& sets, const io::MatrixInfo& matrix, MemoryBudget& budget)
    : columns_(std::move(columns)),
      sets_(sets),
      types_(types_for(matrix)),
      n_top_(columns_.percent_top.size()),
      n_sets_(columns_.set_names.size()) {
  const auto cells = static_cast<std::size_t>(columns_.n_obs);
  const std::size_t per_gene = sizeof(std::int64_t) + sizeof(Total) + (columns_.moments ? 4 * sizeof(double) : 0);
  claim_ = budget.claim("columns of obs and var on their way out",
                        cells * (sizeof(std::int32_t) + sizeof(Total) * (1 + n_top_ + n_sets_)) + sets.members.size() * per_gene);
  n_nonzero_.resize(cells);
  totals_.resize(cells);
  top_.resize(cells * n_top_);
  set_sums_.resize(cells * n_sets_);
}

void QcAnnotations::rows(RowPacket& packet) {
  const RowBlock& block = packet.block;
  const auto n = static_cast<std::size_t>(block.rows.size()), first = static_cast<std::size_t>(block.rows.first);
  std::copy_n(block.n_nonzero, n, n_nonzero_.data() + first);
  std::copy_n(block.totals, n, totals_.data() + first);
  std::copy_n(block.top, n * n_top_, top_.data() + first * n_top_);
  std::copy_n(block.sets, n * n_sets_, set_sums_.data() + first * n_sets_);
}

void QcAnnotations::finish(const ColumnResults& results) { genes_ = results; }

// `value` gives the Total of a row; real if it gives a double.
template <class Value>
io::NewColumn QcAnnotations::column(const std::string& name, ColumnType type, Value value) const {
  io::NewColumn column{name, type, {}};
  column.fill = [this, type, value](RowRange rows, std::byte* out) {
    [[maybe_unused]] const bool whole = integer_mode_;
    for (std::int64_t row = rows.first; row < rows.last; ++row) {
      const auto at = static_cast<std::size_t>(row - rows.first);
      const auto result = value(static_cast<std::size_t>(row));
      if constexpr (std::is_same_v<decltype(result), const double>)
        put_as(type, out, at, real_number(result), false);
      else if constexpr (std::is_same_v<decltype(result), const std::int64_t>)
        put_as(type, out, at, whole_number(result), true);
      else
        put_as(type, out, at, result, whole);
    }
  };
  return column;
}

std::vector<io::NewColumn> QcAnnotations::obs() const {
  std::vector<io::NewColumn> out;
  const auto genes = [this](std::size_t cell) { return std::int64_t{n_nonzero_[cell]}; };
  out.push_back(column("n_genes_by_counts", types_.cell_count, genes));
  out.push_back(column("log1p_n_genes_by_counts", ColumnType::float64,
                       [this](std::size_t cell) { return log1p_exact_order(static_cast<double>(n_nonzero_[cell])); }));
  out.push_back(column("total_counts", types_.sum, [this](std::size_t cell) { return totals_[cell]; }));
  out.push_back(column("log1p_total_counts", types_.share, [this](std::size_t cell) { return log1p_exact_order(total(cell)); }));
  for (std::size_t i = 0; i < n_top_; ++i)
    out.push_back(column("pct_counts_in_top_" + std::to_string(columns_.percent_top[i]) + "_genes", ColumnType::float64,
                         [this, i](std::size_t cell) { return percent_of(as_real(top_[cell * n_top_ + i], integer_mode_), total(cell)); }));
  for (std::size_t q = 0; q < n_sets_; ++q) {
    const std::string& set = columns_.set_names[q];
    const auto part = [this, q](std::size_t cell) { return as_real(set_sums_[cell * n_sets_ + q], integer_mode_); };
    out.push_back(column("total_counts_" + set, types_.sum, [this, q](std::size_t cell) { return set_sums_[cell * n_sets_ + q]; }));
    out.push_back(column("log1p_total_counts_" + set, types_.share, [part](std::size_t cell) { return log1p_exact_order(part(cell)); }));
    out.push_back(
        column("pct_counts_" + set, types_.share, [this, part](std::size_t cell) { return percent_of(part(cell), total(cell)); }));
  }
  if (!columns_.legacy_names) return out;
  out.push_back(column("n_counts", types_.sum, [this](std::size_t cell) { return totals_[cell]; }));
  out.push_back(column("n_genes", types_.cell_count, genes));
  for (std::size_t q = 0; q < n_sets_; ++q)
    out.push_back(column("percent_" + columns_.set_names[q], types_.share,
                         [this, q](std::size_t cell) { return as_real(set_sums_[cell * n_sets_ + q], integer_mode_) / total(cell); }));
  return out;
}

std::vector<io::NewColumn> QcAnnotations::var() const {
  std::vector<io::NewColumn> out;
  const auto n_obs = static_cast<double>(columns_.n_obs);
  const auto cells = [this](std::size_t gene) { return genes_.n_nonzero[gene]; };
  const auto mean = [this, n_obs](std::size_t gene) { return as_real(genes_.totals[gene], integer_mode_) / n_obs; };
  for (std::size_t q = 0; q < n_sets_; ++q)
    out.push_back(column(columns_.set_names[q], ColumnType::boolean,
                         [this, q](std::size_t gene) { return std::int64_t{sets_.members[gene] >> q & 1}; }));
  out.push_back(column("n_cells_by_counts", types_.gene_count, cells));
  out.push_back(column("mean_counts", ColumnType::float64, mean));
  out.push_back(column("log1p_mean_counts", ColumnType::float64, [mean](std::size_t gene) { return log1p_exact_order(mean(gene)); }));
  out.push_back(column("pct_dropout_by_counts", ColumnType::float64,
                       [cells, n_obs](std::size_t gene) { return (1 - static_cast<double>(cells(gene)) / n_obs) * 100; }));
  out.push_back(column("total_counts", types_.sum, [this](std::size_t gene) { return genes_.totals[gene]; }));
  out.push_back(column("log1p_total_counts", types_.share,
                       [this](std::size_t gene) { return log1p_exact_order(as_real(genes_.totals[gene], integer_mode_)); }));
  if (columns_.moments) {
    out.push_back(column("mean", ColumnType::float64, [this](std::size_t gene) { return genes_.mean[gene]; }));
    out.push_back(column("var", ColumnType::float64, [this](std::size_t gene) { return genes_.var[gene]; }));
    out.push_back(column("mean_log1p_cpm", ColumnType::float64, [this](std::size_t gene) { return genes_.mean_log1p_cpm[gene]; }));
    out.push_back(column("var_log1p_cpm", ColumnType::float64, [this](std::size_t gene) { return genes_.var_log1p_cpm[gene]; }));
  }
  if (!columns_.legacy_names) return out;
  out.push_back(column("n_cells", types_.gene_count, cells));
  out.push_back(column("n_counts", types_.sum, [this](std::size_t gene) { return genes_.totals[gene]; }));
  return out;
}

}  // namespace quern::cli
