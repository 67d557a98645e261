#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <random>
#include <span>

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

struct Csr {
  std::int64_t n_cols = 0;
  std::vector<double> data, indices, indptr{0};
  void add(const std::vector<std::pair<int, double>>& row) {
    for (const auto& [column, value] : row) {
      indices.push_back(column);
      data.push_back(value);
    }
    indptr.push_back(static_cast<double>(data.size()));
  }
  std::vector<Row> canonical() const {
    std::vector<Row> rows;
    for (std::size_t r = 0; r + 1 < indptr.size(); ++r) {
      std::map<std::uint32_t, double> row;
      for (auto i = static_cast<std::size_t>(indptr[r]); i < static_cast<std::size_t>(indptr[r + 1]); ++i)
        row[static_cast<std::uint32_t>(indices[i])] += data[i];
      rows.emplace_back(row.begin(), row.end());
    }
    return rows;
  }
};

// Rows of very different lengths, some empty.
Csr random_csr(int n_rows, int n_cols, unsigned seed) {
  std::mt19937 random(seed);
  Csr csr;
  csr.n_cols = n_cols;
  for (int r = 0; r < n_rows; ++r) {
    std::vector<std::pair<int, double>> row;
    const unsigned sparsity = r % 5 == 0 ? 1000 : 1 + static_cast<unsigned>(r % 7);
    for (int c = 0; c < n_cols; ++c)
      if (random() % sparsity == 0) row.emplace_back(c, static_cast<double>(random() % 100));
    csr.add(row);
  }
  return csr;
}

struct Layout {
  Stored data{H5T_IEEE_F32LE, {}}, indices{H5T_STD_I32LE, {}}, indptr{H5T_STD_I64LE, {}};
};

struct Fixture {
  Fixture(const Csr& csr, Layout how, hsize_t user_block = 0) : file(user_block) {
    file.add_group("/X");
    const auto add = [&](const char* path, Stored& stored, const std::vector<double>& values) {
      stored.dims = {values.size()};
      file.add(path, stored, values);
    };
    add("/X/data", how.data, csr.data);
    add("/X/indices", how.indices, csr.indices);
    add("/X/indptr", how.indptr, csr.indptr);
    input.file = file.reopen();
    input.path = file.path();
    input.matrix.rows = static_cast<std::int64_t>(csr.indptr.size()) - 1;
    input.matrix.cols = csr.n_cols;
    input.matrix.data.path = "/X/data";
    input.matrix.indices.path = "/X/indices";
    input.matrix.indptr.path = "/X/indptr";
  }
  std::unique_ptr<ChunkSource> source() { return make_csr_source(input, budget); }
  test::H5File file;
  MatrixInput input;
  MemoryBudget budget{std::size_t{256} << 20};
};

Layout chunked(hsize_t data_chunk, hsize_t index_chunk, std::vector<int> filters) {
  Layout how;
  how.data.chunk = {data_chunk};
  how.indices.chunk = {index_chunk};
  how.data.filters = how.indices.filters = std::move(filters);
  return how;
}

void expect_rows(Fixture& fixture, const std::vector<Row>& expected, const Walk& how, int n_passes = 2) {
  const auto source = fixture.source();
  EXPECT_EQ(test::walk(*source, how, n_passes).rows, expected);
}

template <class F>
std::string code_of(F&& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return "nothing";
}

TEST(CsrSource, EveryLayoutInEveryOrder) {
  const Csr csr = random_csr(60, 50, 1);
  std::vector<Layout> layouts{Layout{}};
  for (const auto& [a, b] : std::vector<std::pair<hsize_t, hsize_t>>{{64, 48}, {1, 1}, {7, 100000}, {100000, 3}, {100, 100}})
    for (const std::vector<int>& filters : std::vector<std::vector<int>>{{}, {1}, {2, 1}, {1, 3}, {32000}, {32015}, {32004}, {32001}})
      layouts.push_back(chunked(a, b, filters));
  for (const Layout& layout : layouts) {
    Fixture fixture(csr, layout);
    for (const std::int64_t chunk_nnz : {1, 97, 1 << 20})
      for (const Order order : {Order::one_by_one, Order::backwards, Order::threads})
        expect_rows(fixture, csr.canonical(), {chunk_nnz, 3, std::size_t{64} << 20, ValueType::f32, order});
  }
}

TEST(CsrSource, EveryType) {
  const Csr csr = random_csr(20, 30, 2);
  const hid_t values[] = {H5T_STD_I8BE,   H5T_STD_U8LE,           H5T_STD_I16LE,        H5T_STD_U16BE,  H5T_STD_I32BE,
                          H5T_STD_U32LE,  H5T_STD_I64LE,          H5T_STD_U64BE,        H5T_IEEE_F32BE, H5T_IEEE_F64LE,
                          H5T_IEEE_F64BE, test::half_type(false), test::half_type(true)};
  const hid_t integers[] = {H5T_STD_I8LE, H5T_STD_U16BE, H5T_STD_I32BE, H5T_STD_U32LE, H5T_STD_I64BE, H5T_STD_U64LE};
  for (const bool compressed : {false, true})
    for (const hid_t value : values)
      for (const hid_t index : integers) {
        Layout how = compressed ? chunked(50, 60, {1}) : Layout{};
        how.data.type = value;
        how.indices.type = index;
        how.indptr.type = index == H5T_STD_I8LE ? H5T_STD_I16LE : index;
        Fixture fixture(csr, how);
        for (const ValueType type : {ValueType::f32, ValueType::f64})
          expect_rows(fixture, csr.canonical(), {64, 2, std::size_t{64} << 20, type, Order::backwards}, 1);
      }
}

TEST(CsrSource, MasksUnallocatedChunksAndUserBlocks) {
  Csr csr = random_csr(30, 40, 3);
  for (std::size_t i = 64; i < 96 && i < csr.data.size(); ++i) csr.data[i] = 5;
  Layout how = chunked(32, 64, {2, 1});
  how.data.mask_every_other = how.indices.mask_every_other = true;
  how.data.leave_out = {2};
  how.data.fill = 5;
  Fixture fixture(csr, how, 1024);
  expect_rows(fixture, csr.canonical(), {50, 2, std::size_t{64} << 20, ValueType::f32, Order::threads});
  Fixture plain(csr, Layout{}, 2048);
  expect_rows(plain, csr.canonical(), {50, 2, std::size_t{64} << 20, ValueType::f32, Order::threads});
}

TEST(CsrSource, UnsortedRowsAndDuplicates) {
  Csr csr;
  csr.n_cols = 10;
  csr.add({{9, 1}, {3, 2}, {3, 4}, {0, 1}});
  csr.add({});
  csr.add({{4, 0}, {2, 7}});
  csr.add({{5, 3}, {5, -3}, {6, 1}});
  for (const hsize_t chunk : {1, 4, 100}) {
    Fixture fixture(csr, chunked(chunk, chunk, {1}));
    for (const std::int64_t chunk_nnz : {1, 3, 100})
      expect_rows(fixture, csr.canonical(), {chunk_nnz, 2, std::size_t{1} << 20, ValueType::f32, Order::one_by_one});
  }
}

TEST(CsrSource, ADuplicateSumThatFloatCannotHoldAsksForDouble) {
  Csr csr;
  csr.n_cols = 3;
  csr.add({{1, 16777216}, {1, 1}});
  Fixture fixture(csr, Layout{});
  EXPECT_THROW(expect_rows(fixture, {}, {}), NeedsWiderValues);
  expect_rows(fixture, {{{1, 16777217.0}}}, {10, 2, std::size_t{1} << 20, ValueType::f64, Order::one_by_one});
}

TEST(CsrSource, ColumnMapDropsAndRenumbers) {
  const Csr csr = random_csr(30, 20, 4);
  std::vector<std::int32_t> to(20, -1);
  for (int c = 1, kept = 0; c < 20; c += 3) to[static_cast<std::size_t>(c)] = kept++;
  auto expected = csr.canonical();
  for (Row& row : expected) {
    Row kept;
    for (const auto& [column, value] : row)
      if (to[column] >= 0) kept.emplace_back(static_cast<std::uint32_t>(to[column]), value);
    row = kept;
  }
  Fixture fixture(csr, chunked(16, 16, {1}));
  fixture.input.columns = {to, 7};
  expect_rows(fixture, expected, {20, 2, std::size_t{1} << 20, ValueType::f32, Order::backwards});
  EXPECT_EQ(fixture.source()->shape().n_cols, 7);
}

TEST(CsrSource, EmptyShapes) {
  Csr none;
  none.n_cols = 5;
  Fixture no_rows(none, Layout{});
  expect_rows(no_rows, {}, {});
  for (int i = 0; i < 40; ++i) none.add({});
  Fixture no_values(none, Layout{});
  expect_rows(no_values, std::vector<Row>(40), {16, 2, std::size_t{1} << 20, ValueType::f32, Order::one_by_one});
}

// Whole-array chunks far above what the budget lets the pool hold are inflated piecewise.
TEST(CsrSource, OneChunkForTheWholeArray) {
  const Csr csr = random_csr(3000, 60, 5);
  const hsize_t whole = csr.data.size();
  for (const hsize_t chunk : {whole, whole / 2 + 1, 2 * whole}) {
    Fixture fixture(csr, chunked(chunk, chunk, {1}), chunk == whole ? 512 : 0);
    for (const std::size_t budget : {std::size_t{64} << 10, std::size_t{64} << 20}) {
      const auto source = fixture.source();
      const auto walked = test::walk(*source, {500, 2, budget, ValueType::f32, Order::threads}, 2);
      EXPECT_EQ(walked.rows, csr.canonical());
      if (budget < (std::size_t{1} << 20)) {
        EXPECT_LE(walked.plan.shared_bytes, std::size_t{1} << 20);
      }
    }
  }
  Fixture shuffled(csr, chunked(whole, whole, {2, 1}));
  const auto source = shuffled.source();
  EXPECT_EQ(code_of([&] { source->plan({500, 2, 64 << 10, 16, ValueType::f32}); }), "chunk-too-large");
}

// Piecewise as whole: a chunk stored without its filter is read, a damaged checksum is noticed.
TEST(CsrSource, GiantChunksAreCheckedToTheirEnd) {
  const Csr csr = random_csr(3000, 60, 5);
  const hsize_t whole = csr.data.size();
  Layout masked = chunked(whole, whole, {1});
  masked.data.mask_every_other = masked.indices.mask_every_other = true;
  Fixture fixture(csr, masked);
  expect_rows(fixture, csr.canonical(), {500, 2, std::size_t{64} << 10, ValueType::f32, Order::threads});

  std::vector<float> values(csr.data.begin(), csr.data.end());
  for (const hsize_t chunk : {whole, whole + 5000}) {
    std::vector<float> padded = values;
    padded.resize(chunk);
    auto stored = test::deflate(std::as_bytes(std::span(padded)));
    stored[stored.size() - 2] ^= std::byte{1};  // of the checksum
    Layout how = chunked(chunk, chunk, {1});
    test::H5File file;
    file.add_group("/X");
    how.data.dims = how.indices.dims = {whole};
    how.indptr.dims = {csr.indptr.size()};
    file.add("/X/data", how.data, csr.data);
    file.replace_chunk("/X/data", {0}, stored);
    file.add("/X/indices", how.indices, csr.indices);
    file.add("/X/indptr", how.indptr, csr.indptr);
    MatrixInput input;
    input.file = file.reopen();
    input.path = file.path();
    input.matrix.rows = 3000;
    input.matrix.cols = 60;
    input.matrix.data.path = "/X/data";
    input.matrix.indices.path = "/X/indices";
    input.matrix.indptr.path = "/X/indptr";
    for (const std::size_t budget : {std::size_t{64} << 10, std::size_t{64} << 20}) {
      MemoryBudget all(std::size_t{256} << 20);
      const auto source = make_csr_source(input, all);
      EXPECT_EQ(code_of([&] { test::walk(*source, {500, 2, budget, ValueType::f32, Order::one_by_one}, 1); }), "corrupt-chunk");
    }
  }
}

TEST(CsrSource, AStoredChunkIsFetchedOnceAPass) {
  const Csr csr = random_csr(200, 50, 6);
  Fixture fixture(csr, chunked(1000, 1000, {1}));
  const auto source = fixture.source();
  test::walk(*source, {10, 3, std::size_t{64} << 20, ValueType::f32, Order::backwards}, 1);
  const std::int64_t many_small_chunks = source->bytes_read();
  const auto other = fixture.source();
  test::walk(*other, {1 << 20, 3, std::size_t{64} << 20, ValueType::f32, Order::backwards}, 1);
  EXPECT_EQ(many_small_chunks, other->bytes_read());
}

TEST(CsrSource, RefusesWhatDoesNotFitTogether) {
  const Csr good = random_csr(10, 10, 7);
  const auto code = [](const Csr& csr) {
    Fixture fixture(csr, Layout{});
    return code_of([&] { expect_rows(fixture, {}, {8, 2, std::size_t{1} << 20, ValueType::f32, Order::one_by_one}, 1); });
  };
  Csr bad = good;
  bad.indptr.back() += 1;
  EXPECT_EQ(code(bad), "bad-indptr");
  bad = good;
  bad.indptr.back() -= 1;
  EXPECT_EQ(code(bad), "bad-indptr");
  bad = good;
  bad.indptr.front() = 1;
  EXPECT_EQ(code(bad), "bad-indptr");
  bad = good;
  bad.indptr[4] = bad.indptr.back() + 5;
  EXPECT_EQ(code(bad), "bad-indptr");
  bad = good;
  bad.indices[3] = 10;
  EXPECT_EQ(code(bad), "bad-index");
  bad.indices[3] = -1;
  EXPECT_EQ(code(bad), "bad-index");
  bad = good;
  bad.indices.pop_back();
  EXPECT_EQ(code(bad), "bad-shape");
  Fixture fixture(good, Layout{});
  fixture.input.matrix.rows = 11;
  EXPECT_EQ(code_of([&] { fixture.source(); }), "bad-indptr");
}

TEST(CsrSource, ATruncatedFileIsNamed) {
  const Csr csr = random_csr(2000, 60, 8);
  Fixture fixture(csr, Layout{});
  const auto source = fixture.source();
  ASSERT_EQ(truncate(fixture.file.path().c_str(), 4096), 0);
  EXPECT_EQ(code_of([&] { test::walk(*source, {}, 1); }), "truncated");
}

TEST(CsrSource, DamagedChunksAreNamed) {
  const Csr csr = random_csr(40, 60, 9);
  Layout how = chunked(64, 64, {1});
  how.data.dims = {csr.data.size()};
  test::H5File file;
  file.add_group("/X");
  file.add("/X/data", how.data, csr.data);
  file.replace_chunk("/X/data", {64}, std::vector<std::byte>(20, std::byte{0x55}));
  how.indices.dims = {csr.indices.size()};
  how.indptr.dims = {csr.indptr.size()};
  file.add("/X/indices", how.indices, csr.indices);
  file.add("/X/indptr", how.indptr, csr.indptr);
  MatrixInput input;
  input.file = file.reopen();
  input.path = file.path();
  input.matrix.rows = 40;
  input.matrix.cols = 60;
  input.matrix.data.path = "/X/data";
  input.matrix.indices.path = "/X/indices";
  input.matrix.indptr.path = "/X/indptr";
  MemoryBudget budget(1 << 20);
  const auto source = make_csr_source(input, budget);
  EXPECT_EQ(code_of([&] { test::walk(*source, {}, 1); }), "corrupt-chunk");
}

}  // namespace
}  // namespace quern::io
