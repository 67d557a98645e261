#include "host/cpu/gram_sum.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "host/cpu/dense_algebra.hpp"
#include "host/cpu/gram_block.hpp"
#include "host/cpu/lease_pool.hpp"
#include "host/cpu/row_slices.hpp"
#include "host/ops/gram.hpp"

namespace quern {
namespace {

constexpr std::int64_t width = GramBlock::panel_width;
constexpr std::int64_t half_width = width / 2;
constexpr std::size_t genes_per_task = 8, cross_genes = 256;

// One thread's room: a product of two panels; the values of a gene; its products with a panel.
struct Scratch {
  explicit Scratch(std::int64_t most_rows) : values(static_cast<std::size_t>(most_rows)) {}
  std::array<double, static_cast<std::size_t>(width* width)> product;
  std::vector<double> values;
  std::array<double, static_cast<std::size_t>(width)> slice;
};

std::size_t scratch_bytes(std::int64_t most_rows) { return static_cast<std::size_t>(width * width + width + most_rows) * sizeof(double); }

std::vector<std::unique_ptr<Scratch>> make_scratch(int threads, std::int64_t most_rows) {
  std::vector<std::unique_ptr<Scratch>> all;
  for (int i = 0; i < threads; ++i) all.push_back(std::make_unique<Scratch>(most_rows));
  return all;
}

std::size_t square_bytes(std::int64_t n_genes) { return static_cast<std::size_t>(n_genes * n_genes) * sizeof(double); }
// Gene sums, and what a block keeps of each gene and row.
std::size_t list_bytes(std::int64_t n_genes) {
  return static_cast<std::size_t>(n_genes) * 40 + static_cast<std::size_t>(gram_block_rows(n_genes)) * 8;
}

}  // namespace

struct GramSum::State {
  State(std::int64_t n, int threads, MemoryBudget& budget)
      : n_genes(n),
        lists(budget.claim("sums of genes", list_bytes(n) + static_cast<std::size_t>(threads) * scratch_bytes(gram_block_rows(n)))),
        square(pageable_memory(), budget.claim("products of genes", square_bytes(n))),
        products(reinterpret_cast<double*>(square.data())),
        sums(static_cast<std::size_t>(n)),
        scratch(make_scratch(threads, gram_block_rows(n))) {
    std::fill_n(products, n * n, 0.0);
    block.emplace(n, gram_block_rows(n), budget);
  }

  // Panels `first` and `second`, first <= second.
  void add_dense(std::int64_t first, std::int64_t second) {
    const auto room = scratch.lease();
    const auto genes = block->dense_genes();
    const std::int64_t n_first = panel_genes(first), n_second = panel_genes(second);
    double* const out = room->product.data();
    if (first == second)
      multiply_with_itself(block->panel(first), block->n_rows(), n_first, width, out, width);
    else
      multiply_transposed(block->panel(first), block->panel(second), block->n_rows(), n_first, n_second, width, out, width);
    for (std::int64_t i = 0; i < n_first; ++i) {
      double* const row = products + n_genes * genes[static_cast<std::size_t>(first * width + i)];
      for (std::int64_t k = first == second ? i : 0; k < n_second; ++k)
        row[genes[static_cast<std::size_t>(second * width + k)]] += out[i * width + k];
    }
  }

  std::int64_t panel_genes(std::int64_t panel) const {
    return std::min(width, static_cast<std::int64_t>(block->dense_genes().size()) - panel * width);
  }

  // Sparse genes of a task with half a panel, which stays in the cache meanwhile.
  void add_cross(std::int64_t half, std::size_t first) {
    const auto room = scratch.lease();
    const std::int64_t panel = half / 2, from = half % 2 * half_width;
    const std::int64_t n = std::min(half_width, panel_genes(panel) - from);
    if (n <= 0) return;
    const auto dense = block->dense_genes().subspan(static_cast<std::size_t>(panel * width + from), static_cast<std::size_t>(n));
    const std::size_t last = std::min(first + cross_genes, block->sparse_genes().size());
    for (std::size_t gene = first; gene < last; ++gene) {
      const auto rows = block->rows_of(gene);
      if (rows.empty()) continue;
      take_values(gene, *room);
      sum_row_slices(block->panel(panel) + from, rows.data(), room->values.data(), rows.size(), (dense.size() + 7) / 8 * 8,
                     room->slice.data());
      double* const row = products + n_genes * block->sparse_genes()[gene];
      for (std::size_t k = 0; k < dense.size(); ++k) row[dense[k]] += room->slice[k];
    }
  }

  void take_values(std::size_t gene, Scratch& room) const {
    const auto places = block->places_of(gene);
    for (std::size_t i = 0; i < places.size(); ++i) room.values[i] = block->values()[places[i]];
  }

  // A sparse gene with the sparse ones from itself on.
  void add_sparse(std::size_t gene) {
    const auto places = block->places_of(gene), rows = block->rows_of(gene);
    double* const row = products + n_genes * block->sparse_genes()[gene];
    const double* const values = block->values();
    const std::uint32_t* const genes = block->genes();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::uint32_t end = block->row_end(rows[i] / static_cast<std::uint32_t>(width));
      const double value = values[places[i]];
      for (std::uint32_t k = places[i]; k < end; ++k) row[genes[k]] += value * values[k];
    }
  }

  void add_block() {
    const std::int64_t n_panels = block->n_panels();
    const std::size_t n_sparse = block->sparse_genes().size();
    const auto n_pairs = static_cast<std::size_t>(n_panels * (n_panels + 1) / 2);
    const std::size_t n_groups = (n_sparse + cross_genes - 1) / cross_genes, n_cross = static_cast<std::size_t>(n_panels) * 2 * n_groups;
    const std::size_t n_tasks = n_pairs + n_cross + (n_sparse + genes_per_task - 1) / genes_per_task;
    const auto run = [&](std::size_t task) {
      if (task < n_pairs) return add_pair(static_cast<std::int64_t>(task));
      task -= n_pairs;
      if (task < n_cross) return add_cross(static_cast<std::int64_t>(task / n_groups), task % n_groups * cross_genes);
      const std::size_t first = (task - n_cross) * genes_per_task;
      for (std::size_t gene = first; gene < std::min(first + genes_per_task, n_sparse); ++gene) add_sparse(gene);
    };
    tbb::parallel_for(
        tbb::blocked_range<std::size_t>(0, n_tasks, 1),
        [&](const tbb::blocked_range<std::size_t>& range) {
          for (std::size_t task = range.begin(); task < range.end(); ++task) run(task);
        },
        tbb::simple_partitioner());
  }

  void add_pair(std::int64_t pair) {
    std::int64_t second = 0;
    while ((second + 1) * (second + 2) / 2 <= pair) ++second;
    add_dense(pair - second * (second + 1) / 2, second);
  }

  // A product may have been added up on either side of the diagonal, as its genes were dense or sparse.
  void make_symmetric() {
    tbb::parallel_for(tbb::blocked_range<std::int64_t>(0, n_genes, 16), [&](const tbb::blocked_range<std::int64_t>& range) {
      constexpr std::int64_t step = 64;
      for (std::int64_t from = 0; from < range.end(); from += step)
        for (std::int64_t i = range.begin(); i < range.end(); ++i)
          for (std::int64_t k = from; k < std::min(from + step, i); ++k)
            products[k * n_genes + i] = products[i * n_genes + k] = products[i * n_genes + k] + products[k * n_genes + i];
    });
  }

  std::int64_t n_genes;
  Claim lists;
  HostBlock square;
  double* products;  // not symmetric before the end: the sum of both sides counts
  std::vector<double> sums;
  LeasePool<Scratch> scratch;
  std::optional<GramBlock> block;
};

GramSum::GramSum(std::int64_t n_genes, int threads, MemoryBudget& budget) : state_(std::make_unique<State>(n_genes, threads, budget)) {}
GramSum::~GramSum() = default;

std::size_t GramSum::bytes(std::int64_t n_genes, int threads) {
  const std::int64_t rows = gram_block_rows(n_genes);
  return square_bytes(n_genes) + GramBlock::bytes(n_genes, rows) + list_bytes(n_genes) +
         static_cast<std::size_t>(threads) * scratch_bytes(rows);
}

void GramSum::add(const CsrChunkView<MemorySpace::host>& block) {
  state_->block->split(block, state_->sums);
  state_->add_block();
}

std::span<double> GramSum::finish() {
  state_->block.reset();
  state_->make_symmetric();
  return {state_->products, static_cast<std::size_t>(state_->n_genes * state_->n_genes)};
}

std::span<const double> GramSum::sums() const { return state_->sums; }

}  // namespace quern
