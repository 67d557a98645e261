// What sources refuse by themselves: describing an input refuses most of it earlier, but a file may change or be described by others.
#include <gtest/gtest.h>

#include <limits>

#include "io/sources.hpp"
#include "io/view/compressed_reader.hpp"
#include "io/view/matrix_view.hpp"
#include "tests/support/encode.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/h5_file.hpp"
#include "tests/support/inputs.hpp"
#include "tests/support/walk_source.hpp"

namespace quern::io {
namespace {

using test::Bytes;
using test::H5Builder;
using test::Stored;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

hid_t chunked(const std::vector<hsize_t>& dims) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, static_cast<int>(dims.size()), dims.data());
  return creation;
}

// Two rows or columns of two, three entries; the dims of arrays may be other than one dimension.
struct Arrays {
  std::vector<double> data{1, 2, 3}, indices{0, 1, 1}, indptr{0, 1, 3};
  hid_t data_type = H5T_IEEE_F32LE, index_type = H5T_STD_I32LE, pointer_type = H5T_STD_I64LE;
  std::vector<hsize_t> data_dims{3}, index_dims{3}, pointer_dims{3};
};

class SourceRefusal : public ::testing::Test {
 protected:
  MatrixInput open(Storage storage, std::int64_t rows, std::int64_t cols) {
    file_ = FileHandle(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    MatrixInput input;
    input.file = file_.get();
    input.path = path_;
    input.matrix.storage = storage;
    input.matrix.rows = rows;
    input.matrix.cols = cols;
    input.matrix.nnz = 3;
    input.matrix.data.path = storage == Storage::dense ? "/X" : "/X/data";
    input.matrix.indices.path = "/X/indices";
    input.matrix.indptr.path = "/X/indptr";
    return input;
  }
  MatrixInput write(const Arrays& arrays, Storage storage) {
    file_ = {};
    {
      H5Builder(path_)
          .numbers("/X/data", arrays.data, arrays.data_type, arrays.data_dims)
          .numbers("/X/indices", arrays.indices, arrays.index_type, arrays.index_dims)
          .numbers("/X/indptr", arrays.indptr, arrays.pointer_type, arrays.pointer_dims);
    }
    return open(storage, 2, 2);
  }
  std::string code(const Arrays& arrays, Storage storage, ValueType values = ValueType::f32) {
    const MatrixInput input = write(arrays, storage);
    return test::code_of([&] {
      MemoryBudget budget(64 * mebibyte);
      const auto source = storage == Storage::csr ? make_csr_source(input, budget) : make_csc_source(input, budget);
      test::Walk how;
      how.value_type = values;
      test::walk(*source, how);
    });
  }
  std::string dense_code(const MatrixInput& input, std::size_t budget_bytes = 64 * mebibyte, std::size_t plan_bytes = 64 * mebibyte) {
    return test::code_of([&] {
      MemoryBudget budget(budget_bytes);
      const auto source = make_dense_source(input, budget);
      source->plan({1000, 2, plan_bytes});
    });
  }
  test::ScratchFolder folder_;
  std::string path_ = folder_.file("input.h5");
  FileHandle file_;
};

TEST_F(SourceRefusal, SumsOfIntegersThatNoDoubleHolds) {
  const double most = 9007199254740992;  // 2^53
  const auto code_of_sum = [&](double a, double b, hid_t type, Storage storage) {
    Arrays arrays;
    arrays.data = {1, a, b};
    arrays.data_type = type;
    return code(arrays, storage, ValueType::f64);
  };
  for (const Storage storage : {Storage::csr, Storage::csc}) {
    EXPECT_EQ(code_of_sum(most - 1, 1, H5T_STD_I64LE, storage), "none");
    EXPECT_EQ(code_of_sum(most, 1, H5T_STD_I64LE, storage), "value-too-large");
    EXPECT_EQ(code_of_sum(-most, -1, H5T_STD_I64LE, storage), "value-too-large");
    EXPECT_EQ(code_of_sum(most, 1, H5T_IEEE_F64LE, storage), "none");  // rounded, as all sums of such values
  }
}

TEST_F(SourceRefusal, ArraysOfAnotherTypeOrShape) {
  for (const Storage storage : {Storage::csr, Storage::csc}) {
    EXPECT_EQ(code({}, storage), "none");
    Arrays reals, pointers, tables;
    reals.index_type = H5T_IEEE_F64LE;
    EXPECT_EQ(code(reals, storage), "bad-type");
    pointers.pointer_type = H5T_IEEE_F64LE;
    EXPECT_EQ(code(pointers, storage), "bad-type");
    for (std::vector<hsize_t> Arrays::*dims : {&Arrays::data_dims, &Arrays::index_dims}) {
      Arrays flat;
      flat.*dims = {3, 1};
      EXPECT_EQ(code(flat, storage), "bad-shape");
    }
    tables.pointer_dims = {3, 1};
    EXPECT_EQ(code(tables, storage), "bad-indptr");
  }
}

TEST_F(SourceRefusal, PointersOfASliceThatAreReals) {
  Arrays arrays;
  arrays.pointer_type = H5T_IEEE_F64LE;
  const MatrixInput input = write(arrays, Storage::csr);
  MemoryBudget budget(64 * mebibyte);
  EXPECT_EQ(test::code_of([&] { CompressedReader(input, {{0, 2}}, budget); }), "bad-type");
}

TEST_F(SourceRefusal, PointersOfASliceThatBeginBelowZero) {
  Arrays arrays;
  arrays.indptr = {0, -2, 3};
  const MatrixInput input = write(arrays, Storage::csr);
  MemoryBudget budget(64 * mebibyte);
  EXPECT_EQ(test::code_of([&] { CompressedReader(input, {{1, 2}}, budget); }), "bad-indptr");
}

TEST_F(SourceRefusal, PointersOfASliceBeyondTheEntries) {
  Arrays arrays;
  arrays.indptr = {0, 7, 3};
  const MatrixInput input = write(arrays, Storage::csr);
  MemoryBudget budget(64 * mebibyte);
  EXPECT_EQ(test::code_of([&] { CompressedReader(input, {{0, 1}}, budget); }), "bad-indptr");
}

TEST_F(SourceRefusal, RowsOfMoreThan2To30Entries) {
  constexpr hsize_t n = (hsize_t{1} << 30) + 1;
  {
    H5Builder(path_)
        .group("/X")
        .created("/X/data", H5T_STD_I8LE, {n}, chunked({1 << 20}))
        .created("/X/indices", H5T_STD_I32LE, {n}, chunked({1 << 20}))
        .numbers("/X/indptr", {0, double{n}}, H5T_STD_I64LE);
  }
  const MatrixInput input = open(Storage::csr, 1, std::numeric_limits<std::int32_t>::max());
  MemoryBudget budget(64 * mebibyte);
  const auto source = make_csr_source(input, budget);
  EXPECT_EQ(test::code_of([&] { source->plan({1000, 2, 64 * mebibyte}); }), "row-too-large");
}

TEST_F(SourceRefusal, DenseOnesOfAnotherShape) {
  { H5Builder(path_).numbers("/X", {1, 2, 3, 4, 5, 6}, H5T_IEEE_F32LE, {2, 3}); }
  EXPECT_EQ(dense_code(open(Storage::dense, 2, 3)), "none");
  EXPECT_EQ(dense_code(open(Storage::dense, 2, 2)), "bad-shape");
  EXPECT_EQ(dense_code(open(Storage::dense, 3, 3)), "bad-shape");
  MatrixInput unordered = open(Storage::dense, 2, 3);
  unordered.columns = {{1, 0, -1}, 2};
  EXPECT_EQ(dense_code(unordered), "unordered-columns");
  MemoryBudget budget(mebibyte);
  EXPECT_EQ(test::code_of([&] { read_dense(unordered, {{0, 2}}, {{0, 3}}, budget); }), "mapped-columns");
}

TEST_F(SourceRefusal, DenseOnesOfMoreThan2To31Columns) {
  constexpr hsize_t n = hsize_t{1} << 31;
  { H5Builder(path_).created("/X", H5T_STD_I8LE, {1, n}, chunked({1, 1 << 20})); }
  EXPECT_EQ(dense_code(open(Storage::dense, 1, std::int64_t{n})), "bad-shape");
}

TEST_F(SourceRefusal, DenseRowsThatDoNotFit) {
  { H5Builder(path_).numbers("/X", std::vector<double>(5000, 1), H5T_IEEE_F32LE, {1, 5000}); }
  EXPECT_EQ(dense_code(open(Storage::dense, 1, 5000), 64 * mebibyte, 10'000), "over-budget");
  file_ = {};
  const hid_t creation = chunked({100, 5000});
  H5Pset_deflate(creation, 1);
  { H5Builder(path_).created("/X", H5T_IEEE_F32LE, {100, 5000}, creation); }
  const MatrixInput streamed = open(Storage::dense, 100, 5000);
  EXPECT_EQ(dense_code(streamed, mebibyte), "none");
  EXPECT_EQ(dense_code(streamed, mebibyte, 10'000), "over-budget");
}

TEST_F(SourceRefusal, TilesThatNoMemoryHolds) {
  constexpr hsize_t n = (hsize_t{1} << 31) - 1;
  const hid_t creation = chunked({(hsize_t{1} << 30) - 1, 1});
  H5Pset_deflate(creation, 1);
  { H5Builder(path_).created("/X", H5T_IEEE_F32LE, {n, n}, creation); }
  const MatrixInput input = open(Storage::dense, n, n);
  EXPECT_EQ(dense_code(input), "bad-shape");
}

// Stored chunks that grew behind our back, or that hold more than their filter could make of them.
class GrownChunk : public ::testing::Test {
 protected:
  static constexpr std::size_t length = 8192, n_chunks = 12, n = length * n_chunks;
  MatrixInput sparse(const std::vector<double>& indptr) {
    file_.add("/X/data", {H5T_IEEE_F32LE, {n}, {length}, {1}}, std::vector<double>(n, 1));
    file_.add("/X/indices", {H5T_STD_I32LE, {n}, {length}, {1}}, std::vector<double>(n, 0));
    file_.add("/X/indptr", {H5T_STD_I64LE, {indptr.size()}}, indptr);
    MatrixInput input;
    input.path = file_.path();
    input.matrix.rows = static_cast<std::int64_t>(indptr.size()) - 1;
    input.matrix.cols = 1;
    input.matrix.nnz = static_cast<std::int64_t>(n);
    input.matrix.data.path = "/X/data";
    input.matrix.indices.path = "/X/indices";
    input.matrix.indptr.path = "/X/indptr";
    return input;
  }
  static std::vector<double> pointers(std::size_t step) {
    std::vector<double> indptr;
    for (std::size_t at = 0; at < n; at += step) indptr.push_back(static_cast<double>(at));
    indptr.push_back(static_cast<double>(n));
    return indptr;
  }
  std::string text(MatrixInput input) {
    input.file = file_.reopen();
    return test::text_of([&] {
      MemoryBudget budget(64 * mebibyte);
      test::walk(*make_csr_source(input, budget), {static_cast<std::int64_t>(length), 2});
    });
  }
  std::string dense_code(std::size_t stored_bytes) {
    file_.add("/X", {H5T_IEEE_F32LE, {64, 64}, {32, 32}, {1}}, std::vector<double>(64 * 64, 1));
    file_.replace_chunk("/X", {32, 32}, Bytes(stored_bytes));
    MatrixInput input;
    input.file = file_.reopen();
    input.path = file_.path();
    input.matrix.storage = Storage::dense;
    input.matrix.rows = input.matrix.cols = 64;
    input.matrix.data.path = "/X";
    return test::code_of([&] {
      MemoryBudget budget(64 * mebibyte);
      test::walk(*make_dense_source(input, budget), {});
    });
  }
  static constexpr auto too_large = "a stored chunk takes 98304 bytes, more than its 32768 bytes of data could";
  test::H5File file_;
};

TEST_F(GrownChunk, OfOneSlot) {
  const MatrixInput input = sparse(pointers(length));
  file_.replace_chunk("/X/data", {3 * length}, Bytes(3 * length * 4));
  EXPECT_EQ(text(input), too_large);
}

TEST_F(GrownChunk, OfTwoSlots) {
  const MatrixInput input = sparse(pointers(5000));
  file_.replace_chunk("/X/indices", {3 * length}, Bytes(3 * length * 4));
  EXPECT_EQ(text(input), too_large);
}

TEST_F(GrownChunk, OfATile) { EXPECT_EQ(dense_code(40'000), "corrupt-chunk"); }

TEST_F(GrownChunk, PoolOfSharedChunksIsNeverOverdrawn) {
  MatrixInput input = sparse(pointers(5000));
  input.file = file_.reopen();
  MemoryBudget budget(64 * mebibyte);
  const auto source = make_csr_source(input, budget);
  const SourcePlan plan = source->plan({5000, 2, 64 * mebibyte});
  Bytes shared(plan.shared_bytes), staging(plan.slot.staging_bytes);
  source->start(shared);
  const auto fetch_all = [&] {  // and decode none
    for (std::int64_t i = 0; i < plan.n_chunks; ++i) {
      ChunkBuffer slot;
      slot.pending = source->make_pending();
      slot.staging = staging;
      source->fetch(slot);
    }
  };
  EXPECT_EQ(test::code_of(fetch_all), "no-free-chunk");
}

TEST(ChunkOfTheLibrary, IsRefusedWhenItDoesNotFit) {
  test::H5File file;
  file.add("/X/data", {H5T_STD_I32LE, {4096}, {4096}, {5}}, std::vector<double>(4096, 1));  // nbit, which only HDF5 undoes
  file.add("/X/indices", {H5T_STD_I32LE, {4096}}, std::vector<double>(4096, 0));
  file.add("/X/indptr", {H5T_STD_I64LE, {2}}, {0, 4096});
  MatrixInput input;
  input.file = file.reopen();
  input.path = file.path();
  input.matrix.rows = input.matrix.cols = 1;
  input.matrix.data.path = "/X/data";
  input.matrix.indices.path = "/X/indices";
  input.matrix.indptr.path = "/X/indptr";
  MemoryBudget budget(mebibyte);
  const auto source = make_csr_source(input, budget);
  source->plan({100, 2, 3 * 4096 * 4});
  EXPECT_EQ(test::code_of([&] { source->plan({100, 2, 3 * 4096 * 4 - 3}); }), "chunk-too-large");
}

}  // namespace
}  // namespace quern::io
