// The pipeline and every backend against the naive oracle, over chunk sizes, threads and slots.
#include "host/pipeline/pipeline.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <span>

#include "host/core/error.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "tests/oracle/naive_qc.hpp"
#include "tests/support/memory_source.hpp"

namespace quern {
namespace {

using test::Entry;
using test::MemorySource;
using test::Rows;

struct Config {
  int threads;
  std::int64_t chunk_nnz;
  int n_slots;
};
const Config configs[] = {{1, 0, 0}, {1, 1, 2}, {2, 7, 2}, {3, 100, 5}, {8, 1, 3}};

class CollectingSink final : public Sink {
 public:
  void begin(bool integer_mode) override {
    *this = CollectingSink();
    whole = integer_mode;
  }
  void rows(RowPacket& packet) override {
    const RowBlock& block = packet.block;
    EXPECT_EQ(block.rows.first, static_cast<std::int64_t>(counts.size())) << "rows out of order";
    for (std::int64_t r = 0; r < block.rows.size(); ++r) {
      counts.push_back(block.n_nonzero[r]);
      totals.push_back(real(block.totals[r]));
      for (int k = 0; k < block.n_top; ++k) top.push_back(real(block.top[r * block.n_top + k]));
      for (int q = 0; q < block.n_sets; ++q) sets.push_back(real(block.sets[r * block.n_sets + q]));
    }
  }
  void finish(const ColumnResults& results) override { columns = results; }
  double real(Total total) const { return whole ? static_cast<double>(total.whole) : total.real; }

  bool whole = true;
  std::vector<std::int64_t> counts;
  std::vector<double> totals, top, sets;
  ColumnResults columns;
};

struct Outcome {
  CollectingSink sink;
  RunReport report;
};

// Of so many genes; one list for each number, kept for as long as a run may look at it.
std::span<const std::uint32_t> sets_of(std::int64_t n_cols) {
  static std::map<std::int64_t, std::vector<std::uint32_t>> lists;
  auto& list = lists[n_cols];
  for (auto g = static_cast<std::int64_t>(list.size()); g < n_cols; ++g) list.push_back((g % 5 == 0 ? 1U : 0U) | (g % 7 == 3 ? 2U : 0U));
  return list;
}

OpSpec everything(std::int64_t n_cols) {
  OpSpec ops;
  ops.rows.percent_top = {1, 3, static_cast<std::int32_t>(n_cols)};
  ops.columns.moments = true;
  ops.n_gene_sets = 2;
  ops.gene_sets = sets_of(n_cols);
  return ops;
}

Outcome run(const Rows& rows, std::int64_t n_cols, const Config& config, ValueType natural = ValueType::f32) {
  MemorySource source(rows, n_cols, natural);
  MemoryBudget budget(64 << 20);
  const auto backend = make_cpu_backend(config.threads);
  Outcome outcome;
  Sink* sinks[] = {&outcome.sink};
  PipelineOptions options;
  options.threads = config.threads;
  options.chunk_nnz = config.chunk_nnz;
  options.n_slots = config.n_slots;
  options.poison = true;
  outcome.report = run_pipeline(source, *backend, everything(n_cols), sinks, budget, options);
  return outcome;
}

Rows random_rows(int n_rows, int n_cols, unsigned seed, const std::function<double(std::mt19937_64&)>& draw) {
  std::mt19937_64 random(seed);
  Rows rows(static_cast<std::size_t>(n_rows));
  for (auto& row : rows)
    for (int g = 0; g < n_cols; ++g)
      if (random() % 4 == 0) row.push_back({static_cast<std::uint32_t>(g), draw(random)});
  rows[3].clear();
  return rows;
}

void expect_close(double got, long double expected, double tolerance) {
  if (std::isnan(static_cast<double>(expected)))
    EXPECT_TRUE(std::isnan(got));
  else
    EXPECT_NEAR(got, static_cast<double>(expected), tolerance * std::max(1e-3, static_cast<double>(std::abs(expected))));
}

void compare(const Rows& rows, std::int64_t n_cols, const Outcome& outcome, double sum_tolerance) {
  const OpSpec ops = everything(n_cols);
  const test::NaiveQc naive =
      test::naive_qc(rows, n_cols, ops.rows.percent_top, {ops.gene_sets.begin(), ops.gene_sets.end()}, ops.n_gene_sets);
  const CollectingSink& sink = outcome.sink;
  EXPECT_EQ(sink.counts, naive.cell_counts);
  EXPECT_EQ(sink.columns.n_nonzero, naive.gene_counts);
  ASSERT_EQ(sink.totals.size(), naive.cell_totals.size());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    expect_close(sink.totals[r], naive.cell_totals[r], sum_tolerance);
    for (std::size_t k = 0; k < 3; ++k) expect_close(sink.top[3 * r + k], naive.top[r][k], sum_tolerance);
    for (std::size_t q = 0; q < 2; ++q) expect_close(sink.sets[2 * r + q], naive.sets[r][q], sum_tolerance);
  }
  for (std::size_t g = 0; g < static_cast<std::size_t>(n_cols); ++g) {
    expect_close(sink.real(sink.columns.totals[g]), naive.gene_totals[g], sum_tolerance);
    expect_close(sink.columns.mean[g], naive.mean[g], 1e-14);
    expect_close(sink.columns.var[g], naive.var[g], 1e-13);
    expect_close(sink.columns.mean_log1p_cpm[g], naive.mean_log[g], 1e-11);
    expect_close(sink.columns.var_log1p_cpm[g], naive.var_log[g], 1e-9);
  }
}

void expect_same_bits(const Outcome& a, const Outcome& b) {
  const auto bits = [](const std::vector<double>& list) {
    std::vector<std::uint64_t> result;
    for (const double x : list) result.push_back(std::bit_cast<std::uint64_t>(x));
    return result;
  };
  EXPECT_EQ(a.sink.counts, b.sink.counts);
  EXPECT_EQ(bits(a.sink.totals), bits(b.sink.totals));
  EXPECT_EQ(bits(a.sink.top), bits(b.sink.top));
  EXPECT_EQ(bits(a.sink.sets), bits(b.sink.sets));
  EXPECT_EQ(bits(a.sink.columns.mean), bits(b.sink.columns.mean));
  EXPECT_EQ(bits(a.sink.columns.var), bits(b.sink.columns.var));
  EXPECT_EQ(bits(a.sink.columns.mean_log1p_cpm), bits(b.sink.columns.mean_log1p_cpm));
  EXPECT_EQ(bits(a.sink.columns.var_log1p_cpm), bits(b.sink.columns.var_log1p_cpm));
}

void check_all_configs(const Rows& rows, std::int64_t n_cols, double tolerance, int passes, ValueType natural = ValueType::f32) {
  const Outcome first = run(rows, n_cols, configs[0], natural);
  EXPECT_EQ(first.report.passes, passes);
  compare(rows, n_cols, first, tolerance);
  for (const Config& config : configs) expect_same_bits(first, run(rows, n_cols, config, natural));
}

TEST(Pipeline, SmallCounts) {
  check_all_configs(random_rows(60, 40, 1, [](auto& random) { return static_cast<double>(1 + random() % 9); }), 40, 0, 1);
}

TEST(Pipeline, ExplicitZerosAndNegatives) {
  check_all_configs(random_rows(60, 40, 2, [](auto& random) { return static_cast<double>(random() % 7) - 3; }), 40, 0, 1);
}

TEST(Pipeline, CountsAboveTheHistogram) {
  check_all_configs(random_rows(60, 40, 3, [](auto& random) { return static_cast<double>(random() % 100000); }), 40, 0, 1);
}

TEST(Pipeline, WholeNumbersBeyondFloatAreReadAgainInDouble) {
  check_all_configs(random_rows(60, 40, 4, [](auto& random) { return static_cast<double>(random() % 2147483647); }), 40, 0, 2);
}

TEST(Pipeline, FractionsTakeTheGeneralPass) {
  check_all_configs(random_rows(60, 40, 5, [](auto& random) { return std::ldexp(static_cast<double>(random() % 4096), -7); }), 40, 1e-15,
                    2);
}

TEST(Pipeline, LargeWholeThenFraction) {
  Rows rows = random_rows(60, 40, 6, [](auto& random) { return static_cast<double>(16777217 + 2 * (random() % 1000)); });
  rows.back().push_back({39, 0.5});
  if (rows.back().size() > 1 && rows.back()[rows.back().size() - 2].column == 39) rows.back().erase(rows.back().end() - 2);
  check_all_configs(rows, 40, 1e-15, 3);
}

TEST(Pipeline, CancellingPairInOneGeneAndOneCell) {
  Rows rows(12);
  for (std::uint32_t r = 0; r < 12; ++r) rows[r] = {{0, r == 2 ? 1e16 : r == 9 ? -1e16 : 0.25}, {1, 1e16}, {2, 0.75}, {3, -1e16}};
  const Outcome first = run(rows, 4, configs[0], ValueType::f64);
  EXPECT_EQ(first.sink.columns.totals[0].real, 2.5);
  EXPECT_EQ(first.sink.totals[0], 1.0);
  for (const Config& config : configs) expect_same_bits(first, run(rows, 4, config, ValueType::f64));
}

TEST(Pipeline, EmptyShapes) {
  EXPECT_TRUE(run({}, 5, configs[0]).sink.counts.empty());
  EXPECT_TRUE(std::isnan(run({}, 5, configs[0]).sink.columns.mean[0]));
}

TEST(Pipeline, OneCellHasNoVariance) {
  const Outcome outcome = run({{{0, 3.0}}}, 4, configs[1]);
  EXPECT_EQ(outcome.sink.columns.mean[0], 3.0);
  EXPECT_TRUE(std::isnan(outcome.sink.columns.var[0]));
}

TEST(Pipeline, StopsWhenAsked) {
  const Rows rows = random_rows(60, 40, 1, [](auto&) { return 1.0; });
  MemorySource source(rows, 40);
  MemoryBudget budget(64 << 20);
  const auto backend = make_cpu_backend(2);
  const std::atomic<bool> stop{true};
  PipelineOptions options;
  options.stop = &stop;
  EXPECT_THROW(run_pipeline(source, *backend, everything(40), {}, budget, options), Interrupted);
}

TEST(Pipeline, TooSmallABudgetSaysWhatItNeeds) {
  const Rows rows = random_rows(60, 40, 1, [](auto&) { return 1.0; });
  MemorySource source(rows, 40);
  MemoryBudget budget(20000);
  const auto backend = make_cpu_backend(1);
  try {
    run_pipeline(source, *backend, everything(40), {}, budget, {});
    FAIL() << "ran within 20,000 bytes";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::resources);
    EXPECT_NE(error.hint().find("--memory"), std::string::npos);
  }
}

TEST(Pipeline, TheLeastItNamesIsEnoughAndLessIsNot) {
  const Rows rows = random_rows(60, 40, 5, [](auto& random) { return std::ldexp(static_cast<double>(random() % 4096), -7); });
  for (const int threads : {1, 2, 8}) {
    const auto backend = make_cpu_backend(threads);
    MemorySource source(rows, 40, ValueType::f64);
    PipelineOptions options;
    options.threads = threads;
    OpSpec ops = everything(40);
    ops.integer_mode = false;
    ops.value_type = ValueType::f64;
    const std::size_t kept = 3 << 20, least = least_budget(source, *backend, ops, kept, options);
    MemoryBudget enough(least);
    const Claim elsewhere = enough.claim("elsewhere", kept);
    EXPECT_NO_THROW(run_pipeline(source, *backend, everything(40), {}, enough, options));
    MemoryBudget too_little(least - (1 << 20));
    const Claim also = too_little.claim("elsewhere", std::min(kept, too_little.limit()));
    try {
      run_pipeline(source, *backend, everything(40), {}, too_little, options);
      FAIL() << "ran with less than the least";
    } catch (const Error& error) {
      EXPECT_NE(error.hint().find("--memory " + std::to_string(least >> 20) + "MiB"), std::string::npos) << error.hint();
    }
  }
}

TEST(Pipeline, EveryClaimIsGivenBackAndThePeakStaysBelowTheBudget) {
  const Rows rows = random_rows(60, 40, 1, [](auto&) { return 1.0; });
  MemorySource source(rows, 40);
  MemoryBudget budget(8 << 20);
  const auto backend = make_cpu_backend(3);
  PipelineOptions options;
  options.threads = 3;
  run_pipeline(source, *backend, everything(40), {}, budget, options);
  EXPECT_EQ(budget.available(), budget.limit());
  EXPECT_LE(budget.peak(), budget.limit());
  std::size_t sum = 0;
  for (const auto& row : budget.table()) sum += row.peak_bytes;
  EXPECT_GT(sum, 0U);
  EXPECT_LE(sum, budget.limit());
}

}  // namespace
}  // namespace quern
