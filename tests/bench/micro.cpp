// What folding a chunk costs once it is in memory: the CPU backend on one thread, beside the plainest loop that could do the same.
// Built where Google Benchmark is installed: quern_micro_bench
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "host/core/memory.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/ops/op_spec.hpp"

namespace {

using namespace quern;

constexpr std::int32_t n_genes = 32738, n_cells = 170;
constexpr double values_per_cell = 1550;

// Cells as droplets give them: few genes in most cells, most genes in few, two thirds of the values 1.
struct Cells {
  std::vector<std::int32_t> offsets{0};
  std::vector<std::uint32_t> columns;
  std::vector<float> values;
  double largest = 0;

  explicit Cells(float offset) {
    std::mt19937 random(1);
    std::vector<double> chance(n_genes);
    for (std::size_t g = 0; g < chance.size(); ++g) chance[g] = 1.0 / (1.0 + 0.004 * static_cast<double>(g));
    std::shuffle(chance.begin(), chance.end(), random);
    double total = 0;
    for (const double c : chance) total += c;
    std::uniform_real_distribution<double> uniform(0, 1);
    std::geometric_distribution<int> count(0.65);
    for (std::int32_t cell = 0; cell < n_cells; ++cell) {
      for (std::uint32_t g = 0; g < chance.size(); ++g) {
        if (uniform(random) > std::min(1.0, chance[g] * values_per_cell / total)) continue;
        columns.push_back(g);
        values.push_back(static_cast<float>(1 + count(random)) + offset);
      }
      offsets.push_back(static_cast<std::int32_t>(columns.size()));
    }
    largest = *std::max_element(values.begin(), values.end());
  }

  CsrChunkView<MemorySpace::host> view(bool whole) const {
    CsrChunkView<MemorySpace::host> chunk;
    chunk.n_rows = n_cells;
    chunk.n_cols = n_genes;
    chunk.offsets = offsets.data();
    chunk.columns = columns.data();
    chunk.values = values.data();
    chunk.facts.whole = whole;
    chunk.facts.max_abs = largest;
    return chunk;
  }
};

void count_values(benchmark::State& state, const Cells& cells) {
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(cells.values.size()));
}

// Genes and counts of each cell, cells and counts of each gene: two additions a value into tables that fit the second-level cache.
void plain_loop(benchmark::State& state) {
  const Cells cells(0);
  std::vector<std::int64_t> gene_counts(n_genes), gene_cells(n_genes);
  for (auto _ : state) {
    for (std::size_t cell = 0; cell < n_cells; ++cell) {
      std::int64_t total = 0;
      for (auto i = static_cast<std::size_t>(cells.offsets[cell]); i < static_cast<std::size_t>(cells.offsets[cell + 1]); ++i) {
        const auto value = static_cast<std::int64_t>(cells.values[i]);
        total += value;
        gene_counts[cells.columns[i]] += value;
        ++gene_cells[cells.columns[i]];
      }
      benchmark::DoNotOptimize(total);
    }
    benchmark::ClobberMemory();
  }
  count_values(state, cells);
}

struct Lane {
  bool percent_top, moments, whole;
};

OpSpec spec_of(const Lane& lane) {
  OpSpec ops;
  if (lane.percent_top) ops.rows.percent_top = {50, 100, 200, 500};
  ops.columns.moments = lane.moments;
  ops.integer_mode = lane.whole;
  ops.n_gene_sets = 1;
  static const std::vector<std::uint32_t> sets = [] {
    std::vector<std::uint32_t> members(n_genes, 0);
    std::fill_n(members.begin(), 13, 1U);
    return members;
  }();
  ops.gene_sets = sets;
  return ops;
}

void backend(benchmark::State& state, Lane lane) {
  const Cells cells(lane.whole ? 0.0F : 0.25F);
  const OpSpec ops = spec_of(lane);
  MemoryBudget budget(std::size_t{1} << 30);
  const auto cpu = make_cpu_backend(1);
  const auto run = cpu->open(ops, {n_cells, n_genes, static_cast<std::int64_t>(cells.values.size())}, budget, 0);
  const std::size_t n_top = ops.rows.percent_top.size();
  std::vector<std::int32_t> n_nonzero(n_cells);
  std::vector<Total> totals(n_cells), top(n_cells * n_top), sets(n_cells);
  RowBlock rows{{0, n_cells}, lane.whole, static_cast<int>(n_top), 1, n_nonzero.data(), totals.data(), top.data(), sets.data()};
  for (auto _ : state) {
    run->submit(cells.view(lane.whole), rows);
    benchmark::ClobberMemory();
  }
  count_values(state, cells);
}

}  // namespace

BENCHMARK(plain_loop);
BENCHMARK_CAPTURE(backend, counts, Lane{false, false, true});
BENCHMARK_CAPTURE(backend, counts_percent_top, Lane{true, false, true});
BENCHMARK_CAPTURE(backend, counts_percent_top_moments, Lane{true, true, true});
BENCHMARK_CAPTURE(backend, reals, Lane{false, false, false});
BENCHMARK_CAPTURE(backend, reals_percent_top, Lane{true, false, false});
BENCHMARK_MAIN();
