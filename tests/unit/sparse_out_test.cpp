// The arrays of a matrix on their way out: pointers that no longer fit 32 bits, writing beside appending.
#include "io/carry/sparse_out.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <thread>

#include "io/hdf5/column_data.hpp"
#include "io/hdf5/file.hpp"
#include "tests/support/h5_builder.hpp"

namespace quern::test {
namespace {

constexpr hsize_t row_length = hsize_t{1} << 30, n_rows = 3, nnz = n_rows * row_length, chunk_length = hsize_t{1} << 22;

// An array of `nnz` elements, each of its stored chunks the same few bytes: copying looks at none of them.
void add_array(H5Builder& h5, const std::string& path, hid_t type) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(creation, 1, &chunk_length);
  H5Pset_deflate(creation, 1);
  h5.created(path, type, {nnz}, creation);
  const hid_t dataset = H5Dopen2(h5.file(), path.c_str(), H5P_DEFAULT);
  for (hsize_t at = 0; at < nnz; at += chunk_length) H5Dwrite_chunk(dataset, H5P_DEFAULT, 0, &at, 5, "bytes");
  H5Dclose(dataset);
}

std::unique_ptr<io::ChunkCopy> copy_of(const io::Hdf5File& from, const std::string& name, hid_t type, const io::OutputGroup& to,
                                       MemoryBudget& budget) {
  io::StoredArray array;
  array.path = "/" + name;
  return std::make_unique<io::ChunkCopy>(from.id(), array, name, type, to, budget);
}

TEST(SparseOut, PointersBeyond32Bits) {
  const ScratchFolder folder;
  const std::string source = folder.file("from.h5"), target = folder.file("to.h5");
  {
    H5Builder h5(source);
    add_array(h5, "/data", H5T_STD_U8LE);
    add_array(h5, "/indices", H5T_STD_I64LE);
  }
  const io::Hdf5File from(source);
  MemoryBudget budget(std::size_t{1} << 31);
  io::OutputFile file = io::OutputFile::create(target);
  io::OutputGroup group = io::make_group(file, "X");
  {
    io::SparseOutOptions options;
    options.data = copy_of(from, "data", H5T_STD_U8LE, group, budget);
    options.indices = copy_of(from, "indices", H5T_STD_I64LE, group, budget);
    const auto cols = static_cast<std::int64_t>(row_length);
    io::SparseOut out(group, {static_cast<std::int64_t>(n_rows), cols, static_cast<std::int64_t>(nnz)}, H5T_STD_U8LE, std::move(options),
                      budget, 1);
    std::int32_t offsets[] = {0, static_cast<std::int32_t>(row_length)};
    for (std::int64_t row = 0; row < static_cast<std::int64_t>(n_rows); ++row) {
      ChunkBuffer chunk;
      chunk.rows = {row, row + 1};
      chunk.offsets = offsets;
      out.append(chunk, std::span<const std::byte>());
    }
    EXPECT_EQ(out.nnz(), static_cast<std::int64_t>(nnz));
    out.finish();
  }
  group.close();
  file.close();
  const io::Hdf5File written(target);
  io::ColumnData pointers(written, "/X/indptr");
  std::vector<std::int64_t> values;
  pointers.read_integers({0, pointers.size()}, values);
  EXPECT_THAT(values, testing::ElementsAre(0, 1LL << 30, 1LL << 31, 3LL << 30));
  EXPECT_EQ(io::ColumnData(written, "/X/data").size(), static_cast<std::int64_t>(nnz));
}

// The file of 200 rows; with `beside`, another thread writes what is full all the while.
std::string written(const std::string& path, const io::Compression& compression, int n_parallel, bool beside) {
  constexpr std::int64_t n_entries = 200 * 37;
  MemoryBudget budget(std::size_t{1} << 28);
  io::OutputFile file = io::OutputFile::create(path);
  io::OutputGroup group = io::make_group(file, "X");
  {
    io::SparseOut out(group, {200, 1000, n_entries}, io::file_type<float>(), {compression, 100}, budget, n_parallel);
    std::atomic<bool> done = false;
    std::thread writer([&] {
      while (beside && !done) out.write_full();
    });
    std::vector<std::int32_t> offsets{0, 37};
    std::vector<std::uint32_t> columns(37);
    std::vector<float> values(37);
    for (std::uint32_t row = 0; row < 200; ++row) {
      for (std::uint32_t i = 0; i < 37; ++i) {
        columns[i] = i + row;
        values[i] = static_cast<float>(row * i % 11);
      }
      out.append(offsets, columns, std::as_bytes(std::span<const float>(values)));
    }
    done = true;
    writer.join();
    out.finish();
  }
  group.close();
  file.close();
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SparseOut, WritingBesideAppendingChangesNoByte) {
  const ScratchFolder folder;
  for (const io::Compression& how : {io::Compression{}, io::Compression{io::Packing::gzip, 1, false}}) {
    const std::string alone = written(folder.file("alone.h5"), how, 1, false);
    for (const int n_parallel : {1, 2, 5})
      for (int i = 0; i < 5; ++i) EXPECT_TRUE(written(folder.file("beside.h5"), how, n_parallel, true) == alone) << n_parallel;
  }
}

}  // namespace
}  // namespace quern::test
