#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

#include "host/core/error.hpp"
#include "io/sources.hpp"
#include "tests/support/encode.hpp"
#include "tests/support/h5_file.hpp"
#include "tests/support/walk_source.hpp"

namespace quern::io {
namespace {

using test::Order;
using test::Row;
using test::Stored;
using test::Walk;

std::vector<double> counts(std::size_t n, std::uint32_t seed = 1) {
  std::mt19937 random(seed);
  std::vector<double> values(n);
  for (double& v : values) v = random() % 3 == 0 ? static_cast<double>(random() % 100) : 0;
  return values;
}

std::vector<Row> rows_of(const std::vector<double>& values, std::size_t n_rows, std::size_t n_cols,
                         const std::vector<std::int32_t>& to = {}) {
  std::vector<Row> rows(n_rows);
  for (std::size_t r = 0; r < n_rows; ++r)
    for (std::size_t c = 0; c < n_cols; ++c) {
      const double v = values[r * n_cols + c];
      if (v != 0 && (to.empty() || to[c] >= 0))
        rows[r].emplace_back(to.empty() ? static_cast<std::uint32_t>(c) : static_cast<std::uint32_t>(to[c]), v);
    }
  return rows;
}

struct Fixture {
  Fixture(const Stored& how, const std::vector<double>& values, hsize_t user_block = 0) : file(user_block) {
    file.add("/X", how, values);
    input.file = file.reopen();
    input.path = file.path();
    input.matrix.name = "X";
    input.matrix.storage = Storage::dense;
    input.matrix.rows = static_cast<std::int64_t>(how.dims[0]);
    input.matrix.cols = how.dims.size() > 1 ? static_cast<std::int64_t>(how.dims[1]) : 1;
    input.matrix.data.path = "/X";
  }
  std::unique_ptr<ChunkSource> source() { return make_dense_source(input, budget); }
  test::H5File file;
  MatrixInput input;
  MemoryBudget budget{std::size_t{256} << 20};
};

const std::vector<Walk>& walks() {
  static const std::vector<Walk> all = [] {
    std::vector<Walk> list;
    for (const std::int64_t chunk_nnz : {1, 100, 1 << 20})
      for (const Order order : {Order::one_by_one, Order::backwards, Order::threads})
        for (const int n_slots : {2, 5}) list.push_back({chunk_nnz, n_slots, std::size_t{64} << 20, ValueType::f32, order});
    return list;
  }();
  return all;
}

TEST(DenseSource, EveryLayoutAndFilterInEveryOrder) {
  const std::size_t n_rows = 37, n_cols = 23;
  const auto values = counts(n_rows * n_cols);
  const auto expected = rows_of(values, n_rows, n_cols);
  std::vector<Stored> layouts;
  layouts.push_back({H5T_IEEE_F32LE, {n_rows, n_cols}});
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{5, 7}, {1, 1}, {37, 23}, {64, 64}, {4, 23}, {37, 2}})
    for (const std::vector<int>& filters : std::vector<std::vector<int>>{{}, {1}, {2, 1, 3}, {32000}, {32015}, {32004}, {32001}})
      layouts.push_back({H5T_IEEE_F32LE, {n_rows, n_cols}, chunk, filters});
  for (const Stored& how : layouts) {
    Fixture fixture(how, values);
    const auto source = fixture.source();
    for (const Walk& walk : walks()) ASSERT_EQ(test::walk(*source, walk).rows, expected) << "chunk_nnz " << walk.chunk_nnz;
    EXPECT_EQ(source->shape().nnz, -1);
    EXPECT_GT(source->bytes_read(), 0);
  }
}

TEST(DenseSource, PaddedTypesAreConvertedByHdf5) {
  const TypeHandle narrow(H5Tcopy(H5T_STD_I32LE)), shifted(H5Tcopy(H5T_STD_I32LE));
  H5Tset_precision(narrow.get(), 24);
  H5Tset_precision(shifted.get(), 16);
  H5Tset_offset(shifted.get(), 8);
  const std::vector<double> values{-5, 0, 7, 300, -32000, 1};
  for (const hid_t type : {narrow.get(), shifted.get()}) {
    Fixture fixture({type, {2, 3}}, values);
    EXPECT_EQ(test::walk(*fixture.source(), {}).rows, rows_of(values, 2, 3));
  }
}

TEST(DenseSource, EveryType) {
  const std::size_t n_rows = 9, n_cols = 1100;  // longer than a conversion block
  const auto values = counts(n_rows * n_cols, 3);
  for (const hid_t type :
       {H5T_STD_I8LE, H5T_STD_U8LE, H5T_STD_I16LE, H5T_STD_U16BE, H5T_STD_I32LE, H5T_STD_U32BE, H5T_STD_I64LE, H5T_STD_U64BE,
        H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, test::half_type(), test::half_type(true)})
    for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {4, 500}}) {
      Fixture fixture({type, {n_rows, n_cols}, chunk, chunk.empty() ? std::vector<int>{} : std::vector<int>{2, 1}}, values);
      const auto source = fixture.source();
      for (const ValueType value_type : {source->natural_value_type(), ValueType::f64})
        EXPECT_EQ(test::walk(*source, {1, 2, std::size_t{64} << 20, value_type}, 2).rows, rows_of(values, n_rows, n_cols));
    }
}

TEST(DenseSource, Booleans) {
  std::vector<double> values(12);
  for (std::size_t i = 0; i < values.size(); i += 5) values[i] = 1;
  Fixture fixture({test::bool_type(), {3, 4}, {2, 2}, {1}}, values);
  EXPECT_EQ(test::walk(*fixture.source(), {}).rows, rows_of(values, 3, 4));
}

TEST(DenseSource, KeepsNanAndInfinityDropsBothZeros) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const std::vector<double> values{0, -0.0, nan, inf, -2.5, 0};
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {1, 4}}) {
    Fixture fixture({H5T_IEEE_F64LE, {2, 3}, chunk, {}}, values);
    const auto walked = test::walk(*fixture.source(), {1, 2, std::size_t{64} << 20, ValueType::f64});
    ASSERT_EQ(walked.rows[0].size(), 1U);
    EXPECT_TRUE(std::isnan(walked.rows[0][0].second));
    EXPECT_EQ(walked.rows[1], (Row{{0, inf}, {1, -2.5}}));
    EXPECT_TRUE(walked.facts.has_nan && walked.facts.has_infinity && walked.facts.has_negative);
    EXPECT_FALSE(walked.facts.has_zero || walked.facts.whole);
    EXPECT_EQ(walked.facts.max_abs, 2.5);
  }
}

TEST(DenseSource, IntegersThatFloatCannotHoldAskForMore) {
  const std::vector<double> values{1, 16777217, 0, 3};
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {1, 2}})
    for (const Order order : {Order::one_by_one, Order::backwards, Order::threads}) {
      Fixture fixture({H5T_STD_I32LE, {2, 2}, chunk, {}}, values);
      const auto source = fixture.source();
      EXPECT_EQ(source->natural_value_type(), ValueType::f32);
      EXPECT_THROW(test::walk(*source, {1, 2, std::size_t{64} << 20, ValueType::f32, order}), NeedsWiderValues);
      EXPECT_EQ(test::walk(*source, {1, 2, std::size_t{64} << 20, ValueType::f64, order}).rows, rows_of(values, 2, 2));
    }
}

TEST(DenseSource, EmptyMatricesOfBothKinds) {
  for (const std::vector<hsize_t>& dims : {std::vector<hsize_t>{0, 5}, {5, 0}, {0, 0}})
    for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {2, 2}}) {
      Fixture fixture({H5T_IEEE_F32LE, dims, chunk, {}}, {});
      for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, std::vector<Row>(dims[0]));
    }
}

TEST(DenseSource, LeftOutChunksHoldTheFillValue) {
  const std::size_t n_rows = 8, n_cols = 6;
  for (const double fill : {0.0, 7.0}) {
    auto values = counts(n_rows * n_cols, 5);
    for (const std::vector<int>& filters : std::vector<std::vector<int>>{{}, {1}}) {
      Fixture fixture({H5T_IEEE_F64BE, {n_rows, n_cols}, {4, 3}, filters, false, {0, 3}, fill}, values);
      auto expected = values;
      for (std::size_t r = 0; r < 4; ++r)
        for (std::size_t c = 0; c < 3; ++c) expected[r * n_cols + c] = expected[(r + 4) * n_cols + c + 3] = fill;
      EXPECT_EQ(test::walk(*fixture.source(), {1, 2, std::size_t{64} << 20, ValueType::f64}).rows, rows_of(expected, n_rows, n_cols));
    }
  }
}

TEST(DenseSource, NeverAllocatedDatasetHoldsTheFillValue) {
  Stored how{H5T_IEEE_F32LE, {3, 4}};
  how.fill = 2;
  Fixture fixture(how, {});
  EXPECT_EQ(test::walk(*fixture.source(), {}).rows, rows_of(std::vector<double>(12, 2), 3, 4));
}

TEST(DenseSource, ChunksWithAFilterMask) {
  const auto values = counts(30 * 11, 9);
  Fixture fixture({H5T_STD_U16LE, {30, 11}, {7, 4}, {2, 1}, true}, values);
  EXPECT_EQ(test::walk(*fixture.source(), {}).rows, rows_of(values, 30, 11));
}

TEST(DenseSource, FiltersOnlyTheLibraryKnows) {
  const auto values = counts(30 * 11, 9);
  for (const int id : {5, 6}) {
    Fixture fixture({H5T_STD_I32LE, {30, 11}, {7, 4}, {id}}, values);
    for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, rows_of(values, 30, 11)) << id;
  }
}

TEST(DenseSource, BehindAUserBlock) {
  const auto values = counts(30 * 11, 9);
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {7, 4}}) {
    Fixture fixture({H5T_IEEE_F32LE, {30, 11}, chunk, {}}, values, 2048);
    EXPECT_EQ(test::walk(*fixture.source(), {}).rows, rows_of(values, 30, 11));
  }
}

TEST(DenseSource, AVectorIsOneColumn) {
  const auto values = counts(30, 9);
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {7}}) {
    Fixture fixture({H5T_IEEE_F32LE, {30}, chunk, {}}, values);
    EXPECT_EQ(test::walk(*fixture.source(), {}).rows, rows_of(values, 30, 1));
  }
}

TEST(DenseSource, LeavesColumnsOut) {
  const auto values = counts(10 * 6, 4);
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{}, {3, 4}}) {
    Fixture fixture({H5T_IEEE_F32LE, {10, 6}, chunk, {}}, values);
    fixture.input.columns = {{-1, 0, 1, -1, -1, 2}, 3};
    const auto source = fixture.source();
    EXPECT_EQ(source->shape().n_cols, 3);
    for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*source, walk).rows, rows_of(values, 10, 6, fixture.input.columns.to));
  }
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "no error";
}

TEST(DenseSource, DamagedTilesAreFoundByEveryOrder) {
  for (const Order order : {Order::one_by_one, Order::backwards, Order::threads}) {
    Stored how{H5T_IEEE_F32LE, {16, 16}, {4, 4}, {}};
    Fixture plain(how, counts(256));
    how.filters = {1};
    test::H5File file;
    file.add("/X", how, counts(256));
    file.replace_chunk("/X", {8, 4}, std::vector<std::byte>(20, std::byte{7}));
    plain.input.file = file.reopen();
    plain.input.path = file.path();
    const auto source = plain.source();
    EXPECT_EQ(code_of([&] { test::walk(*source, {1, 3, std::size_t{64} << 20, ValueType::f32, order}); }), "corrupt-chunk");
  }
}

// Spoils every node of chunk indexes ("TREE", node type 1) in the file.
void spoil_chunk_indexes(const std::string& path) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const std::string node{'T', 'R', 'E', 'E', 1};
  for (std::size_t at = bytes.find(node); at != std::string::npos; at = bytes.find(node, at + 1)) {
    file.clear();
    file.seekp(static_cast<std::streamoff>(at));
    file.write("ERTE", 4);
  }
}

TEST(DenseSource, ADamagedChunkIndexIsNotTakenForMissingChunks) {
  Fixture fixture({H5T_IEEE_F32LE, {16, 16}, {4, 4}, {1}}, counts(256));
  fixture.file.close();
  spoil_chunk_indexes(fixture.file.path());
  fixture.input.file = fixture.file.reopen();
  EXPECT_EQ(code_of([&] { test::walk(*fixture.source(), {}); }), "corrupt-hdf5");
}

TEST(DenseSource, WorksInTheLeastMemoryAndNamesIt) {
  const std::size_t n_rows = 64, n_cols = 4096;
  const auto values = counts(n_rows * n_cols, 8);
  const auto expected = rows_of(values, n_rows, n_cols);
  Fixture fixture({H5T_IEEE_F32LE, {n_rows, n_cols}, {16, 512}, {2, 1}}, values);
  const auto source = fixture.source();
  std::size_t least = 0;
  for (std::size_t budget = std::size_t{64} << 10; least == 0; budget += std::size_t{16} << 10) {
    try {
      source->plan({1 << 20, 2, budget, 16, ValueType::f32});
      least = budget;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::resources);
      EXPECT_EQ(error.code(), "over-budget");
      EXPECT_NE(error.hint().find("--memory"), std::string::npos);
    }
  }
  EXPECT_LT(least, std::size_t{1} << 20);
  for (const std::size_t budget : {least, 2 * least, 4 * least})
    for (const Order order : {Order::one_by_one, Order::backwards, Order::threads}) {
      const auto walked = test::walk(*source, {1 << 20, 2, budget, ValueType::f32, order}, 2);
      EXPECT_EQ(walked.rows, expected);
      const auto slots =
          2 * (static_cast<std::size_t>(walked.plan.slot.max_nnz) * 8 + walked.plan.slot.staging_bytes + walked.plan.slot.pending_bytes);
      EXPECT_LE(walked.plan.shared_bytes + slots, budget);
    }
}

// One gzip chunk that is larger than the budget: only a part of it is ever held.
TEST(DenseSource, InflatesGiantChunksPiecewise) {
  const std::size_t n_rows = 400, n_cols = 600;
  const auto values = counts(n_rows * n_cols, 8);
  const auto expected = rows_of(values, n_rows, n_cols);
  for (const std::vector<hsize_t>& chunk : {std::vector<hsize_t>{n_rows, n_cols}, {170, n_cols + 5}})
    for (const bool masked : {false, true}) {
      Fixture fixture({H5T_IEEE_F32BE, {n_rows, n_cols}, chunk, {1}, masked}, values, 512);
      MemoryBudget small(std::size_t{2} << 20);
      const auto source = make_dense_source(fixture.input, small);
      for (const Order order : {Order::one_by_one, Order::threads})
        for (const std::int64_t chunk_nnz : {1, 100000}) {
          const auto walked = test::walk(*source, {chunk_nnz, 2, std::size_t{1} << 20, ValueType::f32, order}, 2);
          EXPECT_EQ(walked.rows, expected);
          EXPECT_LT(walked.plan.shared_bytes, std::size_t{1} << 19);
        }
    }
  Fixture missing({H5T_IEEE_F32LE, {n_rows, n_cols}, {200, n_cols}, {1}, false, {1}, 3}, values);
  auto filled = values;
  std::fill(filled.begin() + 200 * 600, filled.end(), 3);
  MemoryBudget small(std::size_t{2} << 20);
  EXPECT_EQ(test::walk(*make_dense_source(missing.input, small), {1000, 2, std::size_t{1} << 20}).rows, rows_of(filled, n_rows, n_cols));
}

TEST(DenseSource, DamagedGiantChunks) {
  const std::size_t n_rows = 300, n_cols = 600;
  const auto values = counts(n_rows * n_cols, 8);
  const Stored how{H5T_IEEE_F32LE, {n_rows, n_cols}, {n_rows, n_cols}, {1}};
  std::vector<float> narrow(values.begin(), values.end());
  const auto good = test::deflate(std::as_bytes(std::span(narrow)));
  auto cut = good, flipped = good, longer = good, checksum = good;
  cut.resize(good.size() / 2);
  flipped[good.size() / 3] ^= std::byte{16};
  longer.push_back(std::byte{1});
  checksum.back() ^= std::byte{1};
  for (const auto* stored : {&cut, &flipped, &longer, &checksum}) {
    test::H5File file;
    file.add("/X", how, values);
    file.replace_chunk("/X", {0, 0}, *stored);
    Fixture fixture(how, values);
    fixture.input.file = file.reopen();
    fixture.input.path = file.path();
    MemoryBudget small(std::size_t{2} << 20);
    const auto source = make_dense_source(fixture.input, small);
    EXPECT_EQ(code_of([&] { test::walk(*source, {10000, 2, std::size_t{1} << 20}); }), "corrupt-chunk");
  }
}

TEST(DenseSource, ShapeMustMatch) {
  Fixture fixture({H5T_IEEE_F32LE, {4, 3}, {2, 2}, {}}, counts(12));
  fixture.input.matrix.rows = 5;
  EXPECT_EQ(code_of([&] { fixture.source(); }), "bad-shape");
}

TEST(DenseSource, TruncatedFile) {
  Fixture fixture({H5T_IEEE_F32LE, {400, 300}}, counts(120000));
  const auto source = fixture.source();
  ASSERT_EQ(truncate(fixture.file.path().c_str(), 100000), 0);
  EXPECT_EQ(code_of([&] { test::walk(*source, {}); }), "truncated");
}

}  // namespace
}  // namespace quern::io
