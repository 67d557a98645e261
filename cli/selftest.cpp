#include "cli/selftest.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "cli/backends.hpp"
#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/ops/op_spec.hpp"

namespace quern::cli {
namespace {

constexpr std::int32_t n_rows = 40, n_cols = 20000, n_chunks = 2;
constexpr std::size_t budget_bytes = std::size_t{1} << 30;

enum class Values { counts, whole, real };

struct Case {
  const char* name;
  Values values;
  ValueType type;
};
constexpr Case cases[] = {{"counts", Values::counts, ValueType::f32},
                          {"whole numbers, large and negative ones", Values::whole, ValueType::f32},
                          {"whole numbers of 64 bits", Values::whole, ValueType::f64},
                          {"any numbers", Values::real, ValueType::f32},
                          {"any numbers of 64 bits", Values::real, ValueType::f64}};

// A chunk of rows that are empty, short, and one that holds every gene.
class RandomChunk {
 public:
  RandomChunk(const Case& what, std::int64_t first_row, std::mt19937_64& random) : type_(what.type) {
    view_.first_row = first_row;
    offsets_.push_back(0);
    for (std::int32_t r = 0; r < n_rows; ++r) {
      const double density = r == n_rows / 2 ? 1.0 : r % 17 == 0 ? 0.0 : 0.02;
      std::bernoulli_distribution stored(density);
      for (std::int32_t g = 0; g < n_cols; ++g)
        if (stored(random)) add(static_cast<std::uint32_t>(g), value(what.values, random));
      offsets_.push_back(static_cast<std::int32_t>(columns_.size()));
    }
  }
  CsrChunkView<MemorySpace::host> view() {
    view_.n_rows = n_rows;
    view_.n_cols = n_cols;
    view_.offsets = offsets_.data();
    view_.columns = columns_.data();
    view_.values = type_ == ValueType::f32 ? static_cast<const void*>(singles_.data()) : doubles_.data();
    view_.value_type = type_;
    view_.overwritable = true;
    return view_;
  }

 private:
  static double value(Values kind, std::mt19937_64& random) {
    const double uniform = std::uniform_real_distribution<double>(0, 1)(random);
    if (kind == Values::real) return std::normal_distribution<double>(1, 2)(random);
    if (kind == Values::whole && uniform < 0.1) return std::floor((uniform - 0.05) * 2e7);
    return 1 + std::floor(3 / (0.003 + uniform));
  }
  void add(std::uint32_t column, double value) {
    const float single = static_cast<float>(value);
    const double stored = type_ == ValueType::f32 ? static_cast<double>(single) : value;
    columns_.push_back(column);
    if (type_ == ValueType::f32)
      singles_.push_back(single);
    else
      doubles_.push_back(value);
    ChunkFacts facts;
    facts.whole = std::floor(stored) == stored;
    facts.has_zero = stored == 0;
    facts.has_negative = stored < 0;
    facts.max_abs = std::abs(stored);
    view_.facts.merge(facts);
  }
  ValueType type_;
  CsrChunkView<MemorySpace::host> view_;
  std::vector<std::int32_t> offsets_;
  std::vector<std::uint32_t> columns_;
  std::vector<float> singles_;
  std::vector<double> doubles_;
};

std::vector<std::uint32_t> two_gene_sets() {
  std::vector<std::uint32_t> sets(n_cols);
  for (std::size_t g = 0; g < sets.size(); ++g) sets[g] = (g % 1000 < 13 ? 1U : 0U) | (g % 37 == 0 ? 2U : 0U);
  return sets;
}

OpSpec every_statistic(const Case& what, std::span<const std::uint32_t> gene_sets) {
  OpSpec ops;
  ops.rows.percent_top = {50, 100, 200, 500};
  ops.columns.moments = true;
  ops.gene_sets = gene_sets;
  ops.n_gene_sets = 2;
  ops.integer_mode = what.values != Values::real;
  ops.value_type = what.type;
  return ops;
}

std::int64_t run_case(const Case& what, Backend& backend) {
  MemoryBudget budget(budget_bytes);
  std::mt19937_64 random(7);
  std::vector<RandomChunk> chunks;
  SlotShape largest;
  std::int64_t values = 0;
  for (std::int64_t i = 0; i < n_chunks; ++i) {
    const auto view = chunks.emplace_back(what, i * n_rows, random).view();
    largest = {n_rows, std::max(largest.max_nnz, view.nnz()), 0, 0};
    values += view.nnz();
  }
  const std::vector<std::uint32_t> gene_sets = two_gene_sets();
  const OpSpec ops = every_statistic(what, gene_sets);
  const auto run = backend.open(ops, {n_chunks * n_rows, n_cols, values}, budget, 0);
  run->prepare(largest);
  std::vector<std::int32_t> n_nonzero(n_rows);
  std::vector<Total> totals(n_rows), top(n_rows * ops.rows.percent_top.size()), sets(n_rows * 2);
  for (RandomChunk& chunk : chunks) {
    const auto view = chunk.view();
    RowBlock rows{{view.first_row, view.first_row + n_rows}, ops.integer_mode, static_cast<int>(ops.rows.percent_top.size()), 2};
    rows.n_nonzero = n_nonzero.data();
    rows.totals = totals.data();
    rows.top = top.data();
    rows.sets = sets.data();
    run->submit(view, rows);
  }
  static_cast<void>(run->finish());  // compares
  return values;
}

}  // namespace

std::vector<SelftestCase> run_selftest(const SharedOptions& options) {
  VerifyCount count;
  const auto backend = make_verified_backend(open_cuda_backend(cuda_options(options)), make_cpu_backend(options.threads), 1.0, count);
  std::vector<SelftestCase> results;
  for (const Case& what : cases) {
    SelftestCase& result = results.emplace_back();
    result.name = what.name;
    try {
      result.values = run_case(what, *backend);
    } catch (const Error& error) {
      result.failure = error.object() + ": " + error.what();
    }
  }
  return results;
}

}  // namespace quern::cli
