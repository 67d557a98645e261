#include "io/source/transposer.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <functional>

#include "host/core/error.hpp"
#include "tests/support/h5_file.hpp"
#include "tests/support/triplets.hpp"

namespace quern::io {
namespace {

using test::Triplets;

constexpr std::size_t plenty = std::size_t{64} << 20;

template <class V>
constexpr ValueType type_of = sizeof(V) == 4 ? ValueType::f32 : ValueType::f64;

void count_all(Transposer& transposer, const Triplets& matrix) {
  transposer.begin_counting();
  for (const auto& t : matrix.entries) transposer.count(t.row);
  transposer.end_counting();
}

template <class V>
void place_all(Transposer& transposer, const Triplets& matrix) {
  for (const auto& t : matrix.entries) transposer.place(t.row, t.column, static_cast<V>(t.value));
  transposer.end_placing();
}

// Every row with its entries in the order in which they were placed, read `step` rows at a time.
template <class V>
void expect_rows(const Transposer& transposer, const Triplets& matrix, std::int64_t step) {
  std::vector<test::Row> expected(matrix.n_rows);
  for (const auto& t : matrix.entries) expected[t.row].emplace_back(t.column, t.value);
  std::vector<std::int32_t> offsets(static_cast<std::size_t>(step) + 1);
  std::vector<std::uint32_t> columns(matrix.entries.size());
  std::vector<V> values(matrix.entries.size());
  for (std::int64_t first = 0; first < matrix.n_rows; first += step) {
    ChunkBuffer slot;
    slot.rows = {first, std::min<std::int64_t>(matrix.n_rows, first + step)};
    slot.offsets = offsets.data();
    slot.columns = columns.data();
    slot.values = reinterpret_cast<std::byte*>(values.data());
    slot.value_type = type_of<V>;
    transposer.read(slot);
    for (std::int64_t r = 0; r < slot.rows.size(); ++r) {
      test::Row row;
      for (auto i = static_cast<std::size_t>(offsets[static_cast<std::size_t>(r)]);
           i < static_cast<std::size_t>(offsets[static_cast<std::size_t>(r) + 1]); ++i)
        row.emplace_back(columns[i], static_cast<double>(values[i]));
      EXPECT_EQ(row, expected[static_cast<std::size_t>(first + r)]);
    }
  }
}

template <class V>
void group(const Triplets& matrix, bool in_memory) {
  MemoryBudget budget(plenty);
  Transposer transposer(matrix.n_rows, "X", "", budget);
  count_all(transposer, matrix);
  const auto nnz = static_cast<std::int64_t>(matrix.entries.size());
  std::vector<std::byte> spill(Transposer::spill_bytes(nnz, matrix.n_cols, type_of<V>, 0));
  transposer.begin_placing(type_of<V>, spill, in_memory ? 0 : plenty);
  EXPECT_EQ(transposer.uses_file(), !in_memory);
  place_all<V>(transposer, matrix);
  EXPECT_TRUE(transposer.holds(type_of<V>));
  EXPECT_FALSE(transposer.holds(type_of<V> == ValueType::f32 ? ValueType::f64 : ValueType::f32));
  EXPECT_EQ(transposer.row_pointers().back(), nnz);
  std::fill(spill.begin(), spill.end(), std::byte{0xEE});  // not needed any more
  for (const std::int64_t step : {std::int64_t{1}, std::int64_t{7}, std::int64_t{matrix.n_rows}}) expect_rows<V>(transposer, matrix, step);
}

TEST(Transposer, GroupsInMemoryAndThroughAFile) {
  for (const auto& matrix : {test::random_triplets(500, 80, 1), test::random_triplets(3, 900, 2), test::random_triplets(2000, 2, 3)})
    for (const bool in_memory : {true, false}) {
      group<float>(matrix, in_memory);
      group<double>(matrix, in_memory);
    }
}

TEST(Transposer, ManyBucketsInLittleRoom) {
  const auto matrix = test::random_triplets(4000, 60, 4);
  MemoryBudget budget(plenty);
  Transposer transposer(matrix.n_rows, "X", "", budget);
  count_all(transposer, matrix);
  std::vector<std::byte> spill(20000);
  transposer.begin_placing(ValueType::f32, spill, plenty);
  place_all<float>(transposer, matrix);
  expect_rows<float>(transposer, matrix, 333);
}

TEST(Transposer, PlacesAgainInAnotherType) {
  const auto matrix = test::random_triplets(100, 50, 5);
  for (const std::size_t spare : {std::size_t{0}, plenty}) {
    MemoryBudget budget(plenty);
    Transposer transposer(matrix.n_rows, "X", "", budget);
    count_all(transposer, matrix);
    std::vector<std::byte> spill(1 << 16);
    transposer.begin_placing(ValueType::f32, spill, spare);
    place_all<float>(transposer, matrix);
    transposer.begin_placing(ValueType::f64, spill, spare);
    EXPECT_FALSE(transposer.holds(ValueType::f32));
    place_all<double>(transposer, matrix);
    expect_rows<double>(transposer, matrix, 10);
    transposer.drop();
    for (const auto& row : budget.table()) EXPECT_EQ(row.bytes, row.what == "row pointers" ? 102 * 8U : 0U);
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

TEST(Transposer, FindsThatTheEntriesChanged) {
  const auto matrix = test::random_triplets(100, 50, 5);
  auto more = matrix, fewer = matrix, other = matrix;
  more.entries.push_back({1, 1, 1});
  fewer.entries.pop_back();
  for (auto& t : other.entries) t.row = 99;
  for (const std::size_t spare : {std::size_t{0}, plenty})
    for (const Triplets* second : {&more, &fewer, &other}) {
      MemoryBudget budget(plenty);
      Transposer transposer(matrix.n_rows, "X", "", budget);
      count_all(transposer, matrix);
      std::vector<std::byte> spill(6000);
      transposer.begin_placing(ValueType::f32, spill, spare);
      EXPECT_EQ(code_of([&] { place_all<float>(transposer, *second); }), "changed");
    }
}

TEST(Transposer, FindsThatARowOfABucketGrew) {
  MemoryBudget budget(plenty);
  Transposer transposer(2, "X", "", budget);
  count_all(transposer, {2, 1, {{0, 0, 1}, {1, 0, 1}}});
  std::vector<std::byte> spill(6000);
  transposer.begin_placing(ValueType::f32, spill, plenty);
  EXPECT_EQ(code_of([&] { place_all<float>(transposer, {2, 1, {{1, 0, 1}, {1, 0, 1}}}); }), "changed");
}

TEST(Transposer, FindsThatABucketGrew) {
  const auto rows_of = [](int first, int second) {
    test::Triplets matrix{2, 1, {}};
    for (int i = 0; i < first; ++i) matrix.entries.push_back({0, 0, 1});
    for (int i = 0; i < second; ++i) matrix.entries.push_back({1, 0, 1});
    return matrix;
  };
  MemoryBudget budget(plenty);
  Transposer transposer(2, "X", "", budget);
  count_all(transposer, rows_of(200, 200));
  std::vector<std::byte> spill(6000);  // of 300 entries
  transposer.begin_placing(ValueType::f32, spill, plenty);
  EXPECT_EQ(code_of([&] { place_all<float>(transposer, rows_of(199, 201)); }), "changed");
}

TEST(Transposer, SaysThatTheRoomToSortInIsTooSmall) {
  for (const auto& [n_rows, code] : {std::pair(1U, "row-too-large"), std::pair(100U, "over-budget")}) {
    MemoryBudget budget(plenty);
    Transposer transposer(n_rows, "X", "", budget);
    transposer.begin_counting();
    for (std::uint32_t i = 0; i < 100; ++i) transposer.count(i % n_rows);
    transposer.end_counting();
    std::vector<std::byte> spill(20);  // room for one entry
    EXPECT_EQ(code_of([&] { transposer.begin_placing(ValueType::f32, spill, plenty); }), code);
  }
}

// Files of more than 100 KiB fail with EFBIG while it lives.
class SmallFilesOnly {
 public:
  SmallFilesOnly() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{100 << 10, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFilesOnly() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(Transposer, SaysThatTheTemporaryFolderIsFull) {
  const auto matrix = test::random_triplets(500, 100, 6);
  MemoryBudget budget(plenty);
  Transposer transposer(matrix.n_rows, "X", "", budget);
  count_all(transposer, matrix);
  std::vector<std::byte> spill(1 << 16);
  const SmallFilesOnly limit;
  try {
    transposer.begin_placing(ValueType::f64, spill, plenty);
    FAIL() << "the file should not fit";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "tmp-full");
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_NE(error.hint().find("--tmp-dir"), std::string::npos);
  }
}

TEST(Transposer, LeavesNoFileBehind) {
  const test::TemporaryPath folder("");
  std::filesystem::create_directory(folder.path());
  const auto matrix = test::random_triplets(50, 10, 7);
  MemoryBudget budget(plenty);
  Transposer transposer(matrix.n_rows, "X", folder.path(), budget);
  count_all(transposer, matrix);
  std::vector<std::byte> spill(1 << 16);
  transposer.begin_placing(ValueType::f32, spill, plenty);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  place_all<float>(transposer, matrix);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace quern::io
