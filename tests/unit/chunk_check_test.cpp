// What HDF5 would take on trust of stored chunks: the size in the file of what lies elsewhere, chunks of grids, what only HDF5 decodes.
#include <gtest/gtest.h>

#include <array>

#include "io/hdf5/dataset.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::io {
namespace {

using test::code_of;
using test::H5Builder;

class ChunkChecks : public ::testing::Test {
 protected:
  static hid_t packed(const std::vector<hsize_t>& chunk) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
    H5Pset_deflate(creation, 1);
    return creation;
  }
  // Stores `bytes`, packed by nothing, as the chunk at `corner`.
  static void put(hid_t dataset, const std::vector<hsize_t>& corner, std::size_t bytes) {
    const std::vector<char> plain(bytes, 'a');
    ASSERT_GE(H5Dwrite_chunk(dataset, H5P_DEFAULT, 1, corner.data(), bytes, plain.data()), 0);
  }
  std::string code_of_box(const Box& box, hid_t type, std::size_t bytes) const {
    const Hdf5File file(path_, false);
    const Dataset dataset = open_described(file, "/X");
    std::vector<char> room(bytes);
    return code_of([&] { read_values(dataset, type, box, H5P_DEFAULT, room.data(), "/X"); });
  }
  test::ScratchFolder folder_;
  std::string path_ = folder_.file("input.h5");
};

TEST_F(ChunkChecks, OnlyTheChunksOfTheBoxMatter) {
  {
    H5Builder builder(path_);
    builder.created("/X", H5T_STD_I8LE, {20, 20}, packed({8, 8}));
    const DatasetHandle dataset(H5Dopen2(builder.file(), "/X", H5P_DEFAULT));
    put(dataset.get(), {0, 0}, 64);
    put(dataset.get(), {8, 8}, 63);
  }
  const std::string sound = "none", damaged = "corrupt-chunk";
  EXPECT_EQ(code_of_box({{0, 0}, {8, 20}}, H5T_STD_I8LE, 160), sound);
  EXPECT_EQ(code_of_box({{0, 0}, {20, 8}}, H5T_STD_I8LE, 160), sound);
  EXPECT_EQ(code_of_box({{16, 16}, {4, 4}}, H5T_STD_I8LE, 16), sound);
  EXPECT_EQ(code_of_box({{7, 7}, {2, 2}}, H5T_STD_I8LE, 4), damaged);
  EXPECT_EQ(code_of_box({{15, 15}, {1, 1}}, H5T_STD_I8LE, 1), damaged);
  EXPECT_EQ(code_of_box({}, H5T_STD_I8LE, 400), damaged);
}

TEST_F(ChunkChecks, ChunksThatTakeTooMuch) {
  {
    H5Builder builder(path_);
    builder.created("/X", H5T_STD_I8LE, {8}, packed({8}));
    const DatasetHandle dataset(H5Dopen2(builder.file(), "/X", H5P_DEFAULT));
    put(dataset.get(), {0}, 8 + 4097);
  }
  const Dataset dataset = open_described(Hdf5File(path_, false), "/X");
  std::array<char, 8> room{};
  EXPECT_EQ(test::text_of([&] {
              read_values(dataset, H5T_STD_I8LE, {{0}, {8}}, H5P_DEFAULT, room.data(), "/X");
            }),
            "a stored chunk takes 4105 bytes, for 8 bytes of data");
}

TEST_F(ChunkChecks, ReferencesToTextAreWiderInTheFile) {
  const TypeHandle text(H5Tcopy(H5T_C_S1)), lists(H5Tvlen_create(H5T_STD_I8LE));
  H5Tset_size(text.get(), H5T_VARIABLE);
  const hsize_t three = 3;
  const TypeHandle texts(H5Tarray_create2(text.get(), 1, &three));
  struct Row {
    std::int32_t number;
    const char* text;
    std::array<const char*, 3> texts;
    hvl_t list;
  };
  const TypeHandle row(H5Tcreate(H5T_COMPOUND, sizeof(Row)));
  H5Tinsert(row.get(), "number", HOFFSET(Row, number), H5T_NATIVE_INT32);
  H5Tinsert(row.get(), "text", HOFFSET(Row, text), text.get());
  H5Tinsert(row.get(), "texts", HOFFSET(Row, texts), texts.get());
  H5Tinsert(row.get(), "list", HOFFSET(Row, list), lists.get());
  signed char element = 7;
  const std::vector<Row> rows(5, Row{1, "one", {"a", "b", "c"}, {1, &element}});
  {
    H5Builder builder(path_);
    builder.created("/X", row.get(), {5}, packed({4}));
    const DatasetHandle dataset(H5Dopen2(builder.file(), "/X", H5P_DEFAULT));
    ASSERT_GE(H5Dwrite(dataset.get(), row.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()), 0);
  }
  const TypeHandle number(H5Tcreate(H5T_COMPOUND, 4));
  H5Tinsert(number.get(), "number", 0, H5T_NATIVE_INT32);
  EXPECT_EQ(code_of_box({{0}, {5}}, number.get(), 20), "none");
}

}  // namespace
}  // namespace quern::io
