// The gaps that rows leave are closed in place, and values come back into the type they were stored in.
#include "io/carry/cut_rows.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "host/core/error.hpp"
#include "io/h5ad_write/element_types.hpp"
#include "io/h5ad_write/output_file.hpp"
#include "io/hdf5/dataset.hpp"

namespace quern::io {
namespace {

template <class T>
std::vector<T> read_all(hid_t group, const char* name, hid_t type, std::size_t n) {
  std::vector<T> values(n);
  const hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
  EXPECT_GE(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(dataset);
  return values;
}

// Rows first .. of 0: {}, 1: {1, 2}, 2: {3}, 3: {4, 5, 6} as one chunk that begins at row `first`.
struct Fixture {
  std::vector<std::int32_t> offsets{0, 0, 2, 3, 6};
  std::vector<std::uint32_t> columns{0, 4, 2, 1, 3, 5};
  std::vector<double> values{1, 2, 3, 4, 5, 6};
  ChunkBuffer chunk;
  explicit Fixture(std::int64_t first = 0) {
    chunk.rows = {first, first + 4};
    chunk.offsets = offsets.data();
    chunk.columns = columns.data();
    chunk.values = reinterpret_cast<std::byte*>(values.data());
    chunk.value_type = ValueType::f64;
  }
};

struct Written {
  std::vector<std::int32_t> indptr, indices;
  std::vector<std::int16_t> data;
};

Written cut(const Selection& rows, std::int64_t n_rows, std::span<Fixture* const> chunks) {
  MemoryBudget budget(std::size_t{1} << 28);
  OutputFile file = OutputFile::create_in_memory();
  OutputGroup group = make_group(file, "X");
  const std::int64_t n_kept = rows.n_kept(n_rows);
  SparseOut out(group, {n_kept, 6, 100}, H5T_STD_I16LE, {Compression{}}, budget, 1);
  CutRows visitor(rows, n_rows, element_type(H5T_STD_I16LE), out);
  try {
    for (Fixture* part : chunks) {
      visitor.compute(part->chunk);
      visitor.hand_on(part->chunk);
    }
  } catch (const Error&) {
    file.close_objects();
    file.close();
    throw;
  }
  out.finish();
  const auto n = static_cast<std::size_t>(out.nnz());
  const Written written{read_all<std::int32_t>(group.get(), "indptr", H5T_NATIVE_INT32, static_cast<std::size_t>(n_kept) + 1),
                        read_all<std::int32_t>(group.get(), "indices", H5T_NATIVE_INT32, n),
                        read_all<std::int16_t>(group.get(), "data", H5T_NATIVE_INT16, n)};
  group.close();
  file.close();
  return written;
}

TEST(CutRows, KeepsTheChosenRowsOfEveryChunk) {
  Fixture first(0), second(4);
  const std::array chunks{&first, &second};
  const Written written = cut(Selection::of({{0, 1}, {2, 5}, {7, 8}}), 8, chunks);
  EXPECT_EQ(written.indptr, (std::vector<std::int32_t>{0, 0, 1, 4, 4, 7}));
  EXPECT_EQ(written.indices, (std::vector<std::int32_t>{2, 1, 3, 5, 1, 3, 5}));
  EXPECT_EQ(written.data, (std::vector<std::int16_t>{3, 4, 5, 6, 4, 5, 6}));
}

TEST(CutRows, ChunksMayLoseAllOrNothing) {
  Fixture first(0), second(4);
  const std::array chunks{&first, &second};
  const Written written = cut(Selection::of({{4, 8}}), 8, chunks);
  EXPECT_EQ(written.indptr, (std::vector<std::int32_t>{0, 0, 2, 3, 6}));
  EXPECT_EQ(written.data, (std::vector<std::int16_t>{1, 2, 3, 4, 5, 6}));
}

TEST(CutRows, SumsThatTheTypeDoesNotHoldAreRefused) {
  Fixture sums;
  sums.values[2] = 40000;
  sums.chunk.rearranged = true;
  const std::array chunks{&sums};
  EXPECT_THROW(cut(Selection::of({{2, 3}}), 4, chunks), Error);
  Fixture elsewhere;
  elsewhere.values[2] = 40000;
  elsewhere.chunk.rearranged = true;
  const std::array others{&elsewhere};
  EXPECT_EQ(cut(Selection::of({{1, 2}}), 4, others).data, (std::vector<std::int16_t>{1, 2}));
}

TEST(CutRows, OnlyNarrowTypesAreReadAsFloats) {
  EXPECT_EQ(exact_value_type(element_type(H5T_IEEE_F32LE)), ValueType::f32);
  EXPECT_EQ(exact_value_type(element_type(H5T_STD_U16LE)), ValueType::f32);
  EXPECT_EQ(exact_value_type(element_type(H5T_STD_I32LE)), ValueType::f64);
  EXPECT_EQ(exact_value_type(element_type(H5T_IEEE_F64LE)), ValueType::f64);
}

}  // namespace
}  // namespace quern::io
