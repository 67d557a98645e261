#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <fstream>
#include <functional>

#include "host/core/error.hpp"
#include "io/sources.hpp"
#include "tests/support/h5_file.hpp"
#include "tests/support/triplets.hpp"

namespace quern::io {
namespace {

using test::Order;
using test::Row;
using test::Triplets;
using test::Walk;

enum class Sorted { by_cell, by_gene, not_at_all };

std::string text_of(Triplets matrix, Sorted sorted, const std::string& field = "integer", const std::string& line_end = "\n") {
  if (sorted == Sorted::by_cell)
    std::stable_sort(matrix.entries.begin(), matrix.entries.end(), [](const auto& a, const auto& b) { return a.row < b.row; });
  if (sorted == Sorted::by_gene)
    std::stable_sort(matrix.entries.begin(), matrix.entries.end(), [](const auto& a, const auto& b) { return a.column < b.column; });
  std::string text = "%%MatrixMarket matrix coordinate " + field + " general" + line_end + "%metadata_json: {}" + line_end;
  text += std::to_string(matrix.n_cols) + " " + std::to_string(matrix.n_rows) + " " + std::to_string(matrix.entries.size()) + line_end;
  for (const auto& t : matrix.entries) {
    text += std::to_string(t.column + 1) + " " + std::to_string(t.row + 1);
    if (field != "pattern") text += " " + (field == "real" ? std::to_string(t.value) : std::to_string(static_cast<std::int64_t>(t.value)));
    text += line_end;
  }
  return text;
}

struct Fixture {
  explicit Fixture(const std::string& text, std::int64_t n_cells, std::int64_t n_genes, bool gz = false,
                   std::size_t budget_bytes = std::size_t{64} << 20)
      : file(gz ? ".mtx.gz" : ".mtx"), budget(budget_bytes) {
    if (gz) {
      gzFile out = gzopen(file.path().c_str(), "wb");
      gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
      gzclose(out);
    } else {
      std::ofstream(file.path(), std::ios::binary) << text;
    }
    input.path = file.path();
    input.matrix.name = "X";
    input.matrix.rows = n_cells;
    input.matrix.cols = n_genes;
  }
  std::unique_ptr<ChunkSource> source() { return make_mtx_source(input, budget); }
  test::TemporaryPath file;
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

TEST(MtxSource, EveryOrderOfEntriesPlainAndGzipped) {
  const auto matrix = test::random_triplets(60, 37, 1);
  for (const Sorted sorted : {Sorted::by_cell, Sorted::by_gene, Sorted::not_at_all})
    for (const bool gz : {false, true}) {
      Fixture fixture(text_of(matrix, sorted), 60, 37, gz);
      for (const Walk& walk : walks()) {
        const auto source = fixture.source();
        ASSERT_EQ(test::walk(*source, walk, 2).rows, matrix.rows());
        EXPECT_EQ(source->shape().nnz, static_cast<std::int64_t>(matrix.entries.size()));
        EXPECT_GT(source->bytes_read(), 0);
      }
    }
}

TEST(MtxSource, SumsDuplicates) {
  const auto matrix = test::random_triplets(40, 30, 2, true);
  for (const Sorted sorted : {Sorted::by_cell, Sorted::not_at_all}) {
    Fixture fixture(text_of(matrix, sorted), 40, 30);
    for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, matrix.rows());
  }
}

TEST(MtxSource, EmptyMatrices) {
  for (const auto& [rows, cols] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{{0, 4}, {4, 0}, {0, 0}, {5, 3}}) {
    const Triplets matrix{rows, cols, {}};
    Fixture fixture(text_of(matrix, Sorted::by_cell), rows, cols);
    for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, matrix.rows());
  }
}

TEST(MtxSource, ASortedFileNeedsNoRoomForItsEntries) {
  const auto matrix = test::random_triplets(2000, 100, 3);
  Walk walk{1000, 2, std::size_t{3} << 19, ValueType::f32, Order::one_by_one, false};
  Fixture fixture(text_of(matrix, Sorted::by_cell), 2000, 100, true, std::size_t{3} << 20);
  fixture.input.tmp_dir = "/nonexistent-folder";
  EXPECT_EQ(test::walk(*fixture.source(), walk, 2).rows, matrix.rows());
  EXPECT_LT(fixture.budget.peak(), std::size_t{2} << 20);
  Fixture unsorted(text_of(matrix, Sorted::by_gene), 2000, 100, true, std::size_t{3} << 20);
  EXPECT_EQ(test::walk(*unsorted.source(), walk, 2).rows, matrix.rows());
  unsorted.input.tmp_dir = "/nonexistent-folder";
  EXPECT_THROW(test::walk(*unsorted.source(), walk), Error);
}

TEST(MtxSource, LeavesGenesOut) {
  const auto matrix = test::random_triplets(30, 6, 5);
  for (const Sorted sorted : {Sorted::by_cell, Sorted::not_at_all}) {
    Fixture fixture(text_of(matrix, sorted), 30, 6);
    fixture.input.columns = {{-1, 0, 1, -1, 2, -1}, 3};
    std::vector<Row> expected(30);
    for (const auto& t : matrix.entries)
      if (const auto column = fixture.input.columns.to[t.column]; column >= 0)
        expected[t.row].emplace_back(static_cast<std::uint32_t>(column), t.value);
    for (Row& row : expected) std::sort(row.begin(), row.end());
    for (const Walk& walk : walks()) EXPECT_EQ(test::walk(*fixture.source(), walk).rows, expected);
  }
}

const std::string banner = "%%MatrixMarket matrix coordinate ";

std::vector<Row> rows_of(const std::string& text, std::int64_t n_cells, std::int64_t n_genes, ValueType type = ValueType::f64) {
  Fixture fixture(text, n_cells, n_genes);
  return test::walk(*fixture.source(), {1, 2, std::size_t{32} << 20, type, Order::one_by_one, false}).rows;
}

TEST(MtxSource, NumbersInEveryForm) {
  const std::string text =
      banner +
      "real general\n% a comment\n\n 3  3   8 \n1 1 1.5\n2 1 -2e3\n3 1 +4\n1 1 0.25\n\n  1\t2\t1e-400\n%more\n2 2 nan\r\n3 2 .5\n3 2 1e400";
  const auto rows = rows_of(text, 3, 3);
  EXPECT_EQ(rows[0], (Row{{0, 1.75}, {1, -2000}, {2, 4}}));
  ASSERT_EQ(rows[1].size(), 3U);
  EXPECT_EQ(rows[1][0].second, 0);
  EXPECT_TRUE(std::isnan(rows[1][1].second));
  EXPECT_TRUE(std::isinf(rows[1][2].second));
}

TEST(MtxSource, PatternAndCaseAndLineEnds) {
  const auto matrix = test::random_triplets(20, 10, 7);
  auto ones = matrix;
  for (auto& t : ones.entries) t.value = 1;
  EXPECT_EQ(rows_of(text_of(matrix, Sorted::by_cell, "pattern"), 20, 10), ones.rows());
  EXPECT_EQ(rows_of(text_of(matrix, Sorted::by_cell, "Integer", "\r\n"), 20, 10), matrix.rows());
  EXPECT_EQ(rows_of(text_of(matrix, Sorted::by_cell, "REAL"), 20, 10), matrix.rows());
  auto text = text_of(matrix, Sorted::by_cell);
  text.pop_back();  // no end of the last line
  EXPECT_EQ(rows_of(text, 20, 10), matrix.rows());
}

TEST(MtxSource, WholeNumbersThatFloatCannotHold) {
  for (const std::string& text :
       {banner + "integer general\n1 2 2\n1 1 16777217\n1 2 1\n", banner + "integer general\n1 2 2\n1 2 1\n1 1 16777217\n"}) {
    Fixture fixture(text, 2, 1);
    EXPECT_EQ(fixture.source()->natural_value_type(), ValueType::f32);
    EXPECT_THROW(rows_of(text, 2, 1, ValueType::f32), NeedsWiderValues);
    EXPECT_EQ(rows_of(text, 2, 1)[0], (Row{{0, 16777217}}));
  }
  Fixture real(banner + "real general\n1 1 1\n1 1 0.1\n", 1, 1);
  EXPECT_EQ(real.source()->natural_value_type(), ValueType::f64);
}

struct Wrong {
  std::string text;
  const char* code;
  const char* says;
};

TEST(MtxSource, RefusesWhatIsWrongAndNamesTheLine) {
  const std::string head = banner + "integer general\n";
  const std::vector<Wrong> wrong{
      {"hello\n1 1 1\n", "bad-mtx", "line 1"},
      {"", "bad-mtx", "header"},
      {"%%MatrixBazaar matrix coordinate integer general\n2 2 0\n", "bad-mtx", "line 1"},
      {"%%MatrixMarket vector coordinate integer general\n2 2 0\n", "bad-mtx", "line 1"},
      {banner + "integer symmetric\n2 2 0\n", "unknown-encoding", "symmetric"},
      {banner + "complex general\n2 2 0\n", "unknown-encoding", "complex"},
      {"%%MatrixMarket matrix array real general\n2 2\n", "unknown-encoding", "array"},
      {head + "2 two 1\n1 1 1\n", "bad-mtx", "line 2"},
      {head + "2 2\n", "bad-mtx", "line 2"},
      {head + "2 2 -1\n", "bad-mtx", "line 2"},
      {head + "-2 0 0\n", "bad-mtx", "line 2"},
      {head + "0 -2 0\n", "bad-mtx", "line 2"},
      {head + "2 2 0 7\n", "bad-mtx", "line 2"},
      {head + "2147483648 2 0\n", "bad-shape", "claims"},
      {head + "2 4294967295 0\n", "bad-shape", "claims"},
      {banner + "pattern general\n2 2 1\n1\n", "bad-mtx", "found '1'"},
      {head + "2 2 99999999999\n", "bad-mtx", "line 2"},
      {head + "2 2 99999999999999999999999\n", "bad-mtx", "line 2"},
      {head, "bad-mtx", "header"},
      {head + "2 2 2\n1 1 1\n1 2\n", "bad-mtx", "line 4"},
      {head + "2 2 2\n1 1 1\n1 2 x\n", "bad-mtx", "line 4"},
      {head + "2 2 2\n1 1 1\n1 2 3 4\n", "bad-mtx", "line 4"},
      {head + "2 2 2\n1 1 1\n1.5 2 3\n", "bad-mtx", "line 4"},
      {head + "2 2 2\n1 1 1\n99999999999999999999 2 3\n", "bad-mtx", "line 4"},
      {head + "2 2 2\n0 1 1\n1 2 3\n", "bad-index", "line 3: row 0"},
      {head + "2 2 2\n3 1 1\n1 2 3\n", "bad-index", "line 3: row 3"},
      {head + "2 2 2\n1 -1 1\n1 2 3\n", "bad-index", "line 3: column -1"},
      {head + "2 2 2\n1 3 1\n1 2 3\n", "bad-index", "line 3: column 3"},
      {head + "2 2 2\n1 1 1\n", "bad-mtx", "has 1 entries"},
      {head + "2 2 1\n1 1 1\n1 2 1\n", "bad-mtx", "line 4: more"},
      {head + "2 3 0\n", "bad-shape", "expected 2 x 2"},
      {head + "3 2 0\n", "bad-shape", "expected 2 x 2"},
  };
  for (const auto& [text, code, says] : wrong) {
    try {
      rows_of(text, 2, 2);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input) << text;
      EXPECT_EQ(error.code(), code) << text;
      EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
    }
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

TEST(MtxSource, DamagedGzipFiles) {
  const auto matrix = test::random_triplets(300, 100, 8);
  Fixture fixture(text_of(matrix, Sorted::by_cell), 300, 100, true);
  std::ifstream in(fixture.file.path(), std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  Walk walk;
  walk.chunks_known = false;
  const auto with = [&](const std::string& bytes) {
    std::ofstream(fixture.file.path(), std::ios::binary | std::ios::trunc) << bytes;
    return code_of([&] { test::walk(*fixture.source(), walk); });
  };
  for (std::size_t n = 0; n < whole.size(); n += 97) EXPECT_NE(with(whole.substr(0, n)), "no error") << n;
  auto flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 4);
  EXPECT_NE(with(flipped), "no error");
  EXPECT_EQ(with(whole.substr(0, whole.size() - 20)), "truncated");
  EXPECT_EQ(with(whole + whole), "bad-mtx");  // a second member: its text follows the first's
  EXPECT_EQ(with(whole), "no error");
}

TEST(MtxSource, LongLinesAndAFileThatChanges) {
  const std::string blanks(300000, ' ');
  EXPECT_EQ(code_of([&] { rows_of(banner + "integer general\n1 1 1\n1" + blanks + "1 1\n", 1, 1); }), "bad-mtx");
  EXPECT_EQ(code_of([&] { rows_of(banner + "integer general\n%" + blanks + "\n1 1 1\n1 1 1\n", 1, 1); }), "bad-mtx");
  Fixture fixture(banner + "integer general\n1 3 2\n1 1 1\n1 2 1\n", 3, 1);
  const auto source = fixture.source();
  Walk walk;
  walk.chunks_known = false;
  test::walk(*source, walk);
  std::ofstream(fixture.file.path()) << banner + "integer general\n1 3 2\n1 1 1\n1 3 1\n";
  EXPECT_EQ(code_of([&] { test::walk(*source, walk); }), "changed");
  std::ofstream(fixture.file.path()) << banner + "integer general\n1 3 1\n1 1 1\n";
  EXPECT_EQ(code_of([&] { test::walk(*source, walk); }), "changed");
}

TEST(MtxSource, TheFirstCellLosesAnEntry) {
  Fixture fixture(banner + "integer general\n2 1 2\n1 1 1\n2 1 1\n", 1, 2);
  const auto source = fixture.source();
  Walk walk;
  walk.chunks_known = false;
  test::walk(*source, walk);
  std::ofstream(fixture.file.path()) << banner + "integer general\n2 1 1\n2 1 1\n";
  EXPECT_EQ(code_of([&] { test::walk(*source, walk); }), "changed");
}

TEST(MtxSource, RefusesCellsOfMoreThan2To30Entries) {
  Fixture fixture(banner + "integer general\n2147483647 1 2000000000\n", 1, 2147483647);
  const auto source = fixture.source();
  EXPECT_EQ(code_of([&] { source->plan({1000, 2, std::size_t{32} << 20}); }), "row-too-large");
}

TEST(MtxSource, StopsWhenAsked) {
  Fixture fixture(text_of(test::random_triplets(20, 10, 6), Sorted::by_cell), 20, 10);
  const std::atomic<bool> stop{true};
  fixture.input.stop = &stop;
  EXPECT_THROW(test::walk(*fixture.source(), {}), Interrupted);
}

}  // namespace
}  // namespace quern::io
