// The stress set through the whole pipeline: processor and emulated device, chunks of one value up to all of them, several threads, lanes,
// orders of lanes and carries: the same bits, and those of the naive oracle where sums are whole.
#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "cuda/module.hpp"
#include "host/cpu/cpu_backend.hpp"
#include "host/pipeline/pipeline.hpp"
#include "tests/emulation/fake_state.hpp"
#include "tests/emulation/random_rows.hpp"
#include "tests/oracle/naive_qc.hpp"

namespace quern::emulation {
namespace {

struct Matrix {
  std::string name;
  test::Rows rows;
  std::uint32_t n_cols;
  ValueType natural = ValueType::f32;
};

void PrintTo(const Matrix& matrix, std::ostream* out) { *out << matrix.name; }

template <class Change>
Matrix changed(Matrix matrix, const std::string& name, const Change& change) {
  std::size_t i = 0;
  for (auto& row : matrix.rows)
    for (auto& entry : row) {
      const double value = change(entry.value, i++);
      entry.value = matrix.natural == ValueType::f32 ? static_cast<double>(static_cast<float>(value)) : value;
    }
  matrix.name = name;
  return matrix;
}

Matrix with_huge_row() {
  Matrix matrix{"OneHugeRow", random_counts(2, 12, 70000, 0.0005, 3), 70000};
  matrix.rows[5] = random_counts(3, 1, 70000, 1, 30)[0];
  return matrix;
}

std::vector<Matrix> stress_set() {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const Matrix counts{"Counts", random_counts(1, 40, 300, 0.2, 4), 300};
  Matrix wide{"SeventyThousandGenes", random_counts(4, 20, 70000, 0.002, 3), 70000};
  Matrix empty_rows = changed(counts, "EmptyRows", [](double x, std::size_t) { return x; });
  for (std::size_t r = 0; r < empty_rows.rows.size(); r += 3) empty_rows.rows[r].clear();
  empty_rows.rows.back().clear();
  Matrix doubles = counts;
  doubles.natural = ValueType::f64;
  return {
      counts,
      {"OneValue", {{{0, 3}}}, 1},
      {"NothingStored", test::Rows(9), 50},
      empty_rows,
      with_huge_row(),
      wide,
      changed(counts, "NaN", [&](double x, std::size_t i) { return i % 31 == 0 ? nan : x; }),
      changed(counts, "Infinities", [&](double x, std::size_t i) { return i % 23 == 0   ? infinity
                                                                          : i % 41 == 0 ? -infinity
                                                                                        : x; }),
      changed(counts, "Negatives", [](double x, std::size_t i) { return i % 3 ? x : -x; }),
      changed(counts, "NonIntegers", [](double x, std::size_t i) { return x / 7 + static_cast<double>(i % 5); }),
      changed(counts, "ExplicitZeros", [](double x, std::size_t i) { return i % 4 == 0   ? 0.0
                                                                            : i % 9 == 0 ? -0.0
                                                                                         : x; }),
      changed(counts, "TooLargeForFloats", [](double x, std::size_t i) { return i % 17 == 0 ? 16777216.0 : x * 100; }),
      changed(doubles, "WholeNumbersOfThirtyOneBits", [](double x, std::size_t i) { return i % 2 ? 2147483647.0 - x : 1 - 2147483648.0; }),
      changed(doubles, "BeyondThirtyOneBits", [](double x, std::size_t i) { return i % 5 ? x : 9007199254740991.0; }),
      changed(doubles, "FractionsOfDoubles", [](double x, std::size_t i) { return x / 3 + static_cast<double>(i) * 1e-9; })};
}

// Every word of every result, in order.
class BitSink final : public Sink {
 public:
  void begin(bool integer_mode) override {
    words.clear();
    whole = integer_mode;
  }
  void rows(RowPacket& packet) override {
    const RowBlock& block = packet.block;
    for (std::int64_t r = 0; r < block.rows.size(); ++r) {
      words.push_back(static_cast<std::uint64_t>(block.n_nonzero[r]));
      put(block.totals + r, 1);
      put(block.top + r * block.n_top, block.n_top);
      put(block.sets + r * block.n_sets, block.n_sets);
    }
  }
  void finish(const ColumnResults& columns) override {
    results = columns;
    for (const std::int64_t n : columns.n_nonzero) words.push_back(static_cast<std::uint64_t>(n));
    put(columns.totals.data(), static_cast<int>(columns.totals.size()));
    put(&columns.grand_total, 1);
    for (const auto* list : {&columns.mean, &columns.var, &columns.mean_log1p_cpm, &columns.var_log1p_cpm})
      for (const double value : *list) words.push_back(std::bit_cast<std::uint64_t>(value));
  }
  bool whole = true;
  std::vector<std::uint64_t> words;
  ColumnResults results;

 private:
  void put(const Total* totals, int count) {
    for (int i = 0; i < count; ++i) words.push_back(static_cast<std::uint64_t>(totals[i].whole));
  }
};

struct Config {
  int threads;
  std::int64_t chunk_nnz;
  int n_slots;
  LaneOrder order;
};
const Config configs[] = {
    {1, 0, 0, LaneOrder::ascending}, {1, 1, 2, LaneOrder::shuffled}, {2, 1, 3, LaneOrder::descending}, {3, 500, 4, LaneOrder::shuffled}};

BitSink run(const Matrix& matrix, Backend& backend, const Config& config) {
  std::vector<std::uint32_t> gene_sets = random_sets(5, matrix.n_cols, 2);
  OpSpec ops;
  ops.rows.percent_top = {1, static_cast<std::int32_t>(std::min(matrix.n_cols, 50U)), static_cast<std::int32_t>(matrix.n_cols)};
  ops.columns.moments = true;
  ops.n_gene_sets = 2;
  ops.gene_sets = gene_sets;
  test::MemorySource source(matrix.rows, matrix.n_cols, matrix.natural);
  MemoryBudget budget(std::size_t{256} << 20);
  BitSink sink;
  Sink* sinks[] = {&sink};
  PipelineOptions options;
  options.threads = config.threads;
  options.chunk_nnz = config.chunk_nnz;
  options.n_slots = config.n_slots;
  options.poison = true;
  run_pipeline(source, backend, ops, sinks, budget, options);
  return sink;
}

class Stress : public testing::TestWithParam<Matrix> {};

TEST_P(Stress, SameBits) {
  const BitSink expected = run(GetParam(), *make_cpu_backend(1), configs[0]);
  for (const Config& config : configs) {
    EXPECT_EQ(run(GetParam(), *make_cpu_backend(config.threads), config).words, expected.words) << config.chunk_nnz;
    launch_settings().schedule.order = config.order;
    cuda::CudaOptions options;
    options.threads = config.threads;
    options.rows_between_carries = config.chunk_nnz == 1 ? 3 : std::int64_t{1} << 29;
    EXPECT_EQ(run(GetParam(), *cuda::make_cuda_backend(options), config).words, expected.words) << config.chunk_nnz << " on the device";
  }
  launch_settings().schedule.order = LaneOrder::ascending;
}

TEST_P(Stress, CountsOfTheOracle) {
  const BitSink found = run(GetParam(), *cuda::make_cuda_backend({}), configs[0]);
  const test::NaiveQc naive = test::naive_qc(GetParam().rows, GetParam().n_cols, {}, {}, 0);
  EXPECT_EQ(found.results.n_nonzero, naive.gene_counts);
  if (!found.whole) return;
  for (std::size_t g = 0; g < naive.gene_totals.size(); ++g)
    ASSERT_EQ(static_cast<long double>(found.results.totals[g].whole), naive.gene_totals[g]) << g;
}

// Limbs are carried before more rows have been folded than was allowed, not more often, and never where sums are whole.
TEST(Carries, AsOftenAsAllowed) {
  const auto launches = [](const Matrix& matrix) {
    cuda::CudaOptions options;
    options.rows_between_carries = 3;
    const std::int64_t before = cuda::fake::FakeState::get().calls("launch");
    run(matrix, *cuda::make_cuda_backend(options), {1, 1, 2, LaneOrder::ascending});
    return cuda::fake::FakeState::get().calls("launch") - before;
  };
  const test::Rows rows(10, {{0, 1}});
  EXPECT_EQ(launches({"", rows, 1}), 10);
  test::Rows halves(10, {{0, 0.5}});
  EXPECT_EQ(launches({"", halves, 1}), 10 + 3);
}

INSTANTIATE_TEST_SUITE_P(, Stress, testing::ValuesIn(stress_set()), [](const auto& matrix) { return matrix.param.name; });

}  // namespace
}  // namespace quern::emulation
