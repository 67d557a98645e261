#include "host/cpu/components.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>

#include "host/cpu/dense_algebra.hpp"
#include "host/cpu/row_slices.hpp"
#include "host/ops/components.hpp"
#include "host/ops/gram.hpp"

namespace quern {
namespace {

std::int64_t padded(std::int64_t n) { return (n + 7) / 8 * 8; }

// LAPACK reads the part at and right of the diagonal.
double make_covariances(std::span<double> products, std::span<const double> sums, std::int64_t n_rows) {
  const std::size_t n = sums.size();
  const auto rows = static_cast<double>(n_rows);
  double total = 0;
  for (std::size_t i = 0; i < n; ++i) {
    products[i * (n + 1)] = variance(products[i * (n + 1)], sums[i], rows);
    total += products[i * (n + 1)];
    for (std::size_t k = i + 1; k < n; ++k) products[i * n + k] = covariance(products[i * n + k], sums[i], sums[k], rows);
  }
  return total;
}

}  // namespace

std::size_t component_bytes(std::int64_t n_genes, std::int64_t n) {
  return static_cast<std::size_t>(n_genes * (2 * n + 2)) * sizeof(double) + eigenpair_bytes(n_genes);
}

Components find_components(std::span<double> products, std::span<const double> sums, std::int64_t n_rows, std::int64_t n) {
  Components found;
  found.n_genes = static_cast<std::int64_t>(sums.size());
  found.n = n;
  for (const double sum : sums) found.means.push_back(sum / static_cast<double>(n_rows));
  found.total_variance = make_covariances(products, sums, n_rows);
  found.variances.resize(sums.size());
  found.loadings.resize(sums.size() * static_cast<std::size_t>(n));
  find_largest_eigenpairs(products, n, found.variances, found.loadings);
  found.variances.resize(static_cast<std::size_t>(n));
  for (double& value : found.variances) value = std::max(value, 0.0);
  for (std::size_t c = 0; c < static_cast<std::size_t>(n); ++c) {
    const auto loadings = std::span(found.loadings).subspan(c * sums.size(), sums.size());
    if (!is_turned(loadings)) continue;
    for (double& loading : loadings) loading = -loading;
  }
  return found;
}

std::vector<std::unique_ptr<Projection::Scratch>> Projection::make_scratch(std::int64_t n_genes, std::int64_t width, int threads) {
  std::vector<std::unique_ptr<Scratch>> all;
  const auto n = static_cast<std::size_t>(n_genes);
  for (int i = 0; i < threads; ++i)
    all.push_back(std::make_unique<Scratch>(
        Scratch{std::vector<std::uint32_t>(n), std::vector<double>(n), std::vector<double>(static_cast<std::size_t>(width))}));
  return all;
}

std::size_t Projection::bytes(std::int64_t n_genes, std::int64_t n, std::int64_t max_rows, int threads) {
  const auto genes = static_cast<std::size_t>(n_genes), width = static_cast<std::size_t>(padded(n));
  const std::size_t scratch = genes * 12 + width * sizeof(double);
  return (genes + 1) * width * sizeof(double) + static_cast<std::size_t>(max_rows * n) * sizeof(float) +
         static_cast<std::size_t>(threads) * scratch;
}

Projection::Projection(const Components& components, std::int64_t max_rows, int threads, MemoryBudget& budget)
    : n_(components.n),
      width_(padded(n_)),
      claim_(budget.claim("scores of cells", bytes(components.n_genes, n_, max_rows, threads))),
      loadings_(static_cast<std::size_t>(components.n_genes * width_)),
      centre_(static_cast<std::size_t>(width_)),
      scores_(static_cast<std::size_t>(max_rows * n_)),
      scratch_(make_scratch(components.n_genes, width_, threads)) {
  const auto width = static_cast<std::size_t>(width_), genes = static_cast<std::size_t>(components.n_genes);
  for (std::size_t c = 0; c < static_cast<std::size_t>(n_); ++c)
    for (std::size_t gene = 0; gene < genes; ++gene) {
      const double loading = components.loadings[c * genes + gene];
      loadings_[gene * width + c] = loading;
      centre_[c] += components.means[gene] * loading;
    }
}

template <class V>
void Projection::score_row(const CsrChunkView<MemorySpace::host>& rows, std::int32_t row, Scratch& room) {
  const std::int32_t begin = rows.offsets[row], n = rows.offsets[row + 1] - begin;
  const V* values = rows.values_as<V>() + begin;
  for (std::int32_t i = 0; i < n; ++i) {
    room.starts[static_cast<std::size_t>(i)] = rows.columns[begin + i] * static_cast<std::uint32_t>(width_);
    room.values[static_cast<std::size_t>(i)] = static_cast<double>(values[i]);
  }
  sum_row_slices(loadings_.data(), room.starts.data(), room.values.data(), static_cast<std::size_t>(n), static_cast<std::size_t>(width_),
                 room.sums.data());
  for (std::int64_t c = 0; c < n_; ++c)
    scores_[static_cast<std::size_t>(row * n_ + c)] =
        static_cast<float>(room.sums[static_cast<std::size_t>(c)] - centre_[static_cast<std::size_t>(c)]);
}

std::span<const float> Projection::scores(const CsrChunkView<MemorySpace::host>& rows) {
  tbb::parallel_for(tbb::blocked_range<std::int32_t>(0, rows.n_rows, 64), [&](const tbb::blocked_range<std::int32_t>& range) {
    const auto room = scratch_.lease();
    for (std::int32_t row = range.begin(); row < range.end(); ++row)
      rows.value_type == ValueType::f32 ? score_row<float>(rows, row, *room) : score_row<double>(rows, row, *room);
  });
  return {scores_.data(), static_cast<std::size_t>(rows.n_rows * n_)};
}

}  // namespace quern
