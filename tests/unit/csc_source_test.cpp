#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "host/core/error.hpp"
#include "io/sources.hpp"
#include "tests/support/h5_file.hpp"
#include "tests/support/triplets.hpp"

namespace quern::io {
namespace {

using test::Order;
using test::Row;
using test::Stored;
using test::Triplets;
using test::Walk;

struct Layout {
  Stored data{H5T_IEEE_F32LE, {}}, indices{H5T_STD_I32LE, {}}, indptr{H5T_STD_I64LE, {}};
};

struct Fixture {
  explicit Fixture(const Triplets& matrix, Layout how = {}, std::size_t budget_bytes = std::size_t{64} << 20) : budget(budget_bytes) {
    std::vector<std::vector<test::Triplet>> genes(matrix.n_cols);
    for (const auto& t : matrix.entries) genes[t.column].push_back(t);
    std::vector<double> data, indices, indptr{0};
    for (const auto& gene : genes) {
      for (const auto& t : gene) {
        data.push_back(t.value);
        indices.push_back(t.row);
      }
      indptr.push_back(static_cast<double>(data.size()));
    }
    add("/X/data", how.data, data);
    add("/X/indices", how.indices, indices);
    add("/X/indptr", how.indptr, indptr);
    input.file = file.reopen();
    input.path = file.path();
    input.threads = 2;
    input.matrix.name = "X";
    input.matrix.storage = Storage::csc;
    input.matrix.rows = matrix.n_rows;
    input.matrix.cols = matrix.n_cols;
    input.matrix.nnz = static_cast<std::int64_t>(data.size());
    input.matrix.data.path = "/X/data";
    input.matrix.indices.path = "/X/indices";
    input.matrix.indptr.path = "/X/indptr";
  }
  void add(const char* path, Stored& stored, const std::vector<double>& values) {
    stored.dims = {values.size()};
    file.add(path, stored, values);
  }
  std::unique_ptr<ChunkSource> source() { return make_csc_source(input, budget); }
  test::H5File file;
  MatrixInput input;
  MemoryBudget budget;
};

std::vector<Walk> walks(std::size_t budget_bytes = std::size_t{32} << 20) {
  std::vector<Walk> list;
  for (const std::int64_t chunk_nnz : {1, 100, 1 << 20})
    for (const Order order : {Order::one_by_one, Order::backwards, Order::threads})
      for (const int n_slots : {2, 5}) list.push_back({chunk_nnz, n_slots, budget_bytes, ValueType::f32, order, false});
  return list;
}

TEST(CscSource, TurnsEveryLayout) {
  const auto matrix = test::random_triplets(60, 37, 1);
  const auto expected = matrix.rows();
  std::vector<Layout> layouts(1);
  for (const hsize_t chunk : {hsize_t{1}, hsize_t{50}, hsize_t{10000}})
    for (const std::vector<int>& filters : std::vector<std::vector<int>>{{}, {1}, {2, 32015}})
      layouts.push_back(
          {{H5T_IEEE_F32LE, {}, {chunk}, filters}, {H5T_STD_I32LE, {}, {chunk + 7}, filters}, {H5T_STD_I32LE, {}, {chunk}, {1}}});
  for (const Layout& how : layouts) {
    Fixture fixture(matrix, how);
    for (const Walk& walk : walks()) {
      const auto source = fixture.source();
      ASSERT_EQ(test::walk(*source, walk, 2).rows, expected) << walk.chunk_nnz;
      EXPECT_EQ(source->shape().nnz, static_cast<std::int64_t>(matrix.entries.size()));
      EXPECT_GT(source->bytes_read(), 0);
    }
  }
}

TEST(CscSource, EveryIndexAndValueType) {
  const auto matrix = test::random_triplets(40, 20, 2);
  for (const hid_t type : {H5T_STD_U8LE, H5T_STD_I16BE, H5T_STD_U32LE, H5T_STD_I64LE, H5T_STD_U64BE, H5T_IEEE_F64BE, test::half_type()}) {
    Layout how;
    how.data.type = type;
    if (type != H5T_IEEE_F64BE && H5Tget_class(type) == H5T_INTEGER) how.indices.type = type;
    Fixture fixture(matrix, how);
    const auto source = fixture.source();
    Walk walk;
    walk.chunks_known = false;
    for (const ValueType value_type : {source->natural_value_type(), ValueType::f64}) {
      walk.value_type = value_type;
      EXPECT_EQ(test::walk(*source, walk).rows, matrix.rows());
    }
  }
}

TEST(CscSource, SumsDuplicatesKeepsZerosAndNan) {
  auto matrix = test::random_triplets(50, 30, 3, true);
  const auto summed = matrix.rows();
  Fixture fixture(matrix);
  for (Walk walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, summed);
  Triplets odd{2, 2, {{1, 0, 0}, {1, 1, std::numeric_limits<double>::quiet_NaN()}, {0, 1, -1.5}}};
  Walk walk;
  walk.chunks_known = false;
  const auto walked = test::walk(*Fixture(odd).source(), walk);
  EXPECT_EQ(walked.rows[1].size(), 2U);
  EXPECT_TRUE(walked.facts.has_zero && walked.facts.has_nan && walked.facts.has_negative);
  EXPECT_FALSE(walked.facts.whole);
}

TEST(CscSource, EmptyMatrices) {
  for (const auto& [rows, cols] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 4}, {4, 0}, {0, 0}, {5, 3}}) {
    const Triplets matrix{rows, cols, {}};
    for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*Fixture(matrix).source(), walk).rows, matrix.rows());
  }
}

TEST(CscSource, GoesThroughAFileWhenMemoryIsShort) {
  const auto matrix = test::random_triplets(300, 200, 4, true);
  Layout how;
  how.data.chunk = how.indices.chunk = {500};
  how.data.filters = how.indices.filters = {1};
  const std::size_t small = std::size_t{2} << 20;  // less than what is kept spare, so that nothing stays in memory
  for (const Walk& walk : walks(small)) {
    Fixture fixture(matrix, how, small);
    const auto source = fixture.source();
    ASSERT_EQ(test::walk(*source, walk, 2).rows, matrix.rows());
    for (const auto& row : fixture.budget.table()) EXPECT_NE(row.what, "matrix turned to rows");
    EXPECT_LE(fixture.budget.peak(), small);
  }
}

TEST(CscSource, KeepsWhatFitsInMemory) {
  const auto matrix = test::random_triplets(300, 200, 4);
  Fixture fixture(matrix);
  const auto source = fixture.source();
  test::walk(*source, {100, 2, std::size_t{32} << 20, ValueType::f32, Order::one_by_one, false});
  const auto table = fixture.budget.table();
  EXPECT_TRUE(
      std::any_of(table.begin(), table.end(), [](const auto& row) { return row.what == "matrix turned to rows" && row.bytes > 0; }));
  const std::int64_t after_one = source->bytes_read();
  const auto again = test::walk(*source, {100, 2, std::size_t{32} << 20});  // the plan is exact now
  EXPECT_EQ(again.rows, matrix.rows());
  EXPECT_EQ(again.plan.shared_bytes, 0U);
  EXPECT_EQ(source->bytes_read(), after_one);
}

TEST(CscSource, LeavesGenesOut) {
  const auto matrix = test::random_triplets(30, 6, 5);
  Fixture fixture(matrix);
  fixture.input.columns = {{1, -1, 2, 0, -1, 3}, 4};
  std::vector<Row> expected(30);
  for (const auto& t : matrix.entries)
    if (const auto column = fixture.input.columns.to[t.column]; column >= 0)
      expected[t.row].emplace_back(static_cast<std::uint32_t>(column), t.value);
  for (Row& row : expected) std::sort(row.begin(), row.end());
  for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, expected);
}

TEST(CscSource, IntegersThatFloatCannotHoldAskForMore) {
  const Triplets matrix{2, 2, {{0, 0, 1}, {1, 1, 16777217}}};
  for (const std::size_t memory : {std::size_t{64} << 20, std::size_t{2} << 20}) {
    Layout how;
    how.data.type = H5T_STD_I32LE;
    Fixture fixture(matrix, how, memory);
    const auto source = fixture.source();
    Walk walk{1, 2, memory / 2, source->natural_value_type(), Order::one_by_one, false};
    EXPECT_EQ(walk.value_type, ValueType::f32);
    EXPECT_THROW(test::walk(*source, walk), NeedsWiderValues);
    walk.value_type = ValueType::f64;
    EXPECT_EQ(test::walk(*source, walk, 2).rows, matrix.rows());
  }
  // The sum of duplicates, not an entry, is what float cannot hold.
  Fixture fixture(Triplets{1, 1, {{0, 0, 16777216}, {0, 0, 1}}});
  const auto source = fixture.source();
  Walk walk{1, 2, std::size_t{32} << 20, ValueType::f32, Order::one_by_one, false};
  EXPECT_THROW(test::walk(*source, walk), NeedsWiderValues);
  walk.value_type = ValueType::f64;
  EXPECT_EQ(test::walk(*source, walk).rows[0][0].second, 16777217);
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "no error";
}

TEST(CscSource, RefusesWhatIsWrong) {
  Walk walk;
  walk.chunks_known = false;
  const auto matrix = test::random_triplets(20, 10, 6);
  Fixture too_few_rows(matrix);
  too_few_rows.input.matrix.rows = 19;
  EXPECT_EQ(code_of([&] { test::walk(*too_few_rows.source(), walk); }), "bad-index");
  Fixture negative(Triplets{3, 1, {{0xffffffffU, 0, 1}}}, {{H5T_IEEE_F32LE, {}}, {H5T_STD_U32LE, {}}, {H5T_STD_I64LE, {}}});
  EXPECT_EQ(code_of([&] { test::walk(*negative.source(), walk); }), "bad-index");
  Fixture wrong_pointers(matrix);
  wrong_pointers.input.matrix.cols = 11;
  EXPECT_EQ(code_of([&] { wrong_pointers.source(); }), "bad-indptr");
  Fixture no_folder(matrix, {}, std::size_t{2} << 20);
  no_folder.input.tmp_dir = "/nonexistent-folder";
  EXPECT_EQ(code_of([&] {
              test::walk(*no_folder.source(), {100, 2, std::size_t{1} << 20, ValueType::f32, Order::one_by_one, false});
            }),
            "tmp-failed");
}

TEST(CscSource, StopsWhenAsked) {
  Fixture fixture(test::random_triplets(20, 10, 6));
  const std::atomic<bool> stop{true};
  fixture.input.stop = &stop;
  EXPECT_THROW(test::walk(*fixture.source(), {}), Interrupted);
}

}  // namespace
}  // namespace quern::io
