// Claims of a file's metadata that no dataset, name or attribute can live up to.
#include <gtest/gtest.h>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include <algorithm>
#include <fstream>
#include <iterator>

#include "io/h5ad/column.hpp"
#include "io/hdf5/attributes.hpp"
#include "io/hdf5/column_data.hpp"
#include "io/hdf5/dataset.hpp"
#include "io/hdf5/raw_dataset.hpp"
#include "io/view/array_names.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::io {
namespace {

using test::code_of;
using test::H5Builder;

// While it lives, what HDF5 1.10.8 forgets of a dataset that it does not open is no finding.
class LibraryLeaks {
 public:
#ifdef __SANITIZE_ADDRESS__
  LibraryLeaks() {
    H5garbage_collect();  // or it takes what it had before
    __lsan_disable();
  }
  ~LibraryLeaks() { __lsan_enable(); }
#else
  LibraryLeaks() {}
  ~LibraryLeaks() {}
#endif
  LibraryLeaks(const LibraryLeaks&) = delete;
  LibraryLeaks& operator=(const LibraryLeaks&) = delete;
};

class Hdf5Refusal : public ::testing::Test {
 protected:
  static hid_t chunked(const std::vector<hsize_t>& dims) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, static_cast<int>(dims.size()), dims.data());
    return creation;
  }
  // A dataset of this shape without any data.
  void claim(const std::vector<hsize_t>& dims, hid_t type = H5T_IEEE_F32LE, std::vector<hsize_t> chunk = {}) {
    for (const hsize_t dim : dims)
      if (chunk.size() < dims.size()) chunk.push_back(std::min<hsize_t>(dim, 64));
    H5Builder(path_).created("/X", type, dims, chunked(chunk));
  }
  // Writes other bytes over the first such bytes of the file.
  void damage(const std::string& from, const std::string& to) const {
    std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    file.seekp(static_cast<std::streamoff>(at));
    file << to;
  }
  std::string describe_code() const {
    const Hdf5File file(path_, false);
    return code_of([&] { open_described(file, "/X").count(); });
  }
  std::string raw_code() const {
    const FileHandle file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    return code_of([&] { RawDataset(file.get(), "/X").size(); });
  }
  std::string column_code() const {
    const Hdf5File file(path_, false);
    return code_of([&] { ColumnData(file, "/X"); });
  }
  std::string column_code(hid_t type) {
    claim({2}, type);
    return column_code();
  }
  test::ScratchFolder folder_;
  std::string path_ = folder_.file("input.h5");
};

TEST_F(Hdf5Refusal, FilesWithoutASignature) {
  EXPECT_EQ(code_of([&] { Hdf5File(folder_.text("table.tsv", std::string(600, 'a')), false); }), "not-hdf5");
}

TEST_F(Hdf5Refusal, ObjectsThatAreNotThere) {
  claim({3});
  const Hdf5File file(path_, false);
  EXPECT_EQ(code_of([&] { file.open("/absent"); }), "missing-object");
}

TEST_F(Hdf5Refusal, ShapesThatNoFileHolds) {
  claim({hsize_t{1} << 40, hsize_t{1} << 40});
  EXPECT_EQ(describe_code(), "bad-shape");
  EXPECT_EQ(raw_code(), "bad-shape");
  claim({(hsize_t{1} << 62) + 1});
  EXPECT_EQ(code_of([&] { open_described(Hdf5File(path_, false), "/X"); }), "bad-shape");
  claim({2, 2, 2});
  EXPECT_EQ(raw_code(), "bad-shape");
}

TEST_F(Hdf5Refusal, ChunksThatAreNotStored) {
  claim({128});
  const FileHandle file(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const RawDataset dataset(file.get(), "/X");
  const hsize_t corner = 64;
  EXPECT_EQ(dataset.stored_chunk_bytes({&corner, 1}), 0U);
  EXPECT_EQ(code_of([&] { dataset.chunk_file_offset({&corner, 1}); }), "truncated");
}

TEST_F(Hdf5Refusal, ColumnsOfValuesTooWide) {
  EXPECT_EQ(column_code(H5T_STD_I64LE), "none");
  const TypeHandle wide(H5Tcopy(H5T_STD_I64LE)), long_text(H5Tcopy(H5T_C_S1)), longer_text(H5Tcopy(H5T_C_S1));
  H5Tset_size(wide.get(), 16);
  EXPECT_EQ(column_code(wide.get()), "bad-type");
  H5Tset_size(long_text.get(), std::size_t{1} << 20);
  EXPECT_EQ(column_code(long_text.get()), "none");
  H5Tset_size(longer_text.get(), (std::size_t{1} << 20) + 1);
  EXPECT_EQ(column_code(longer_text.get()), "bad-type");
}

std::string four_bytes(unsigned number) {
  std::string text;
  for (int shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift & 0xff);
  return text;
}

TEST_F(Hdf5Refusal, ValuesOfNoBytes) {  // which HDF5 1.10.8 lets pass
  const TypeHandle text(H5Tcopy(H5T_C_S1));
  H5Tset_size(text.get(), 0x7071);
  EXPECT_EQ(column_code(text.get()), "none");
  damage(four_bytes(0x7071), four_bytes(0));
  EXPECT_EQ(column_code(), "bad-type");
}

std::string eight_bytes(std::uint64_t number) {
  return four_bytes(static_cast<unsigned>(number)) + four_bytes(static_cast<unsigned>(number >> 32));
}

TEST_F(Hdf5Refusal, RowsOutsideOfAColumn) {
  claim({5});
  const Hdf5File file(path_, false);
  ColumnData column(file, "/X");
  std::vector<std::string> texts;
  EXPECT_EQ(code_of([&] { column.read_text({0, 5}, texts); }), "none");
  for (const RowRange rows : {RowRange{-1, 2}, RowRange{2, 6}}) EXPECT_EQ(code_of([&] { column.read_text(rows, texts); }), "bad-range");
}

TEST_F(Hdf5Refusal, AttributesThatClaimTooMuch) {  // in bytes, what HDF5 1.10.8 takes for as much as there is
  const auto attribute_code = [&] {
    const Hdf5File file(path_, false);
    return code_of([&] { integer_attribute(file.open("/X").get(), "a", "/X"); });
  };
  claim({2});
  H5Builder(path_).group("/X").number_attribute("/X", "a", std::vector<double>(0x4321, 1), H5T_STD_I8LE);
  EXPECT_EQ(attribute_code(), "none");
  H5Builder(path_).group("/X").number_attribute("/X", "a", std::vector<double>(0x123, 1), H5T_STD_I64LE);
  damage(eight_bytes(0x123), eight_bytes((std::uint64_t{1} << 61) + 0x123));
  EXPECT_EQ(attribute_code(), "bad-shape");
}

TEST_F(Hdf5Refusal, ChunksOfImpossibleShape) {
  claim({0x12345678, 0x11223344}, H5T_IEEE_F64LE, {0x1234, 0x567});
  damage(four_bytes(0x1234) + four_bytes(0x567), four_bytes(0x80000000U) + four_bytes(0x80000000U));  // 2^65 bytes; HDF5 1.10.8 counts none
  EXPECT_EQ(raw_code(), "bad-shape");
  const LibraryLeaks leaks;
  claim({0x12345678, 0x11223344}, H5T_IEEE_F64LE, {0x1234, 0x567});
  damage(four_bytes(0x1234) + four_bytes(0x567), four_bytes(0) + four_bytes(0x567));
  EXPECT_EQ(raw_code(), "missing-dataset");  // HDF5 does not open it
  claim({0x12345678, 0x11223344}, H5T_IEEE_F64LE, {0x1234, 0x567});
  damage(four_bytes(0x1234) + four_bytes(0x567), four_bytes(0x80000000U) + four_bytes(0x10000000U));  // 2^62 bytes
  EXPECT_EQ(raw_code(), "missing-dataset");
}

TEST_F(Hdf5Refusal, ValuesThatAreNoNumbers) {
  const TypeHandle text(H5Tcopy(H5T_C_S1));
  claim({3}, text.get());
  EXPECT_EQ(raw_code(), "bad-type");
}

TEST_F(Hdf5Refusal, FieldsThatHoldFewerNumbers) {
  const hsize_t width = 3;
  const TypeHandle numbers(H5Tarray_create2(H5T_NATIVE_DOUBLE, 1, &width)), row(H5Tcreate(H5T_COMPOUND, 3 * sizeof(double)));
  H5Tinsert(row.get(), "X_pca", 0, numbers.get());
  const std::vector<double> values{1, 2, 3};
  { H5Builder(path_).table("/obsm", row.get(), values.data(), 1); }
  const Hdf5File file(path_, false);
  EXPECT_EQ(code_of([&] { open_field_column(file, "/obsm", "X_pca", 2); }), "none");
  EXPECT_EQ(code_of([&] { open_field_column(file, "/obsm", "X_pca", 3); }), "bad-type");
  EXPECT_EQ(field_width(open_described(file, "/obsm"), "absent"), 0U);
}

TEST_F(Hdf5Refusal, ColumnsOfAnEncodingThatIsNotKnown) {
  { H5Builder(path_).group("/obs/odd").encoding("/obs/odd", "ragged", "1.0"); }
  const Hdf5File file(path_, false);
  const ColumnPlace odd = find_column(file, "/obs", "odd");
  EXPECT_EQ(code_of([&] { column_size(file, odd); }), "unknown-encoding");
  EXPECT_EQ(code_of([&] { open_column(file, odd); }), "unknown-encoding");
}

TEST_F(Hdf5Refusal, FieldsOfTablesAreNoLists) {
  const hsize_t dims[] = {2, 3};
  const TypeHandle numbers(H5Tarray_create2(H5T_NATIVE_DOUBLE, 2, dims)), row(H5Tcreate(H5T_COMPOUND, 6 * sizeof(double)));
  H5Tinsert(row.get(), "X_pca", 0, numbers.get());
  const std::vector<double> values(6);
  { H5Builder(path_).table("/obsm", row.get(), values.data(), 1); }
  EXPECT_EQ(field_width(open_described(Hdf5File(path_, false), "/obsm"), "X_pca"), 0U);
}

}  // namespace
}  // namespace quern::io
