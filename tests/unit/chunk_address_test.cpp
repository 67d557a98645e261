// The place of a stored chunk, against the bytes of the file, with and without a user block.
#include "io/hdf5/chunk_address.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>
#include <vector>

#include "io/hdf5/raw_dataset.hpp"
#include "tests/support/h5_file.hpp"

namespace quern::io {
namespace {

class ChunkPlace : public testing::TestWithParam<hsize_t> {};

TEST_P(ChunkPlace, IsThatOfItsBytesInTheFile) {
  constexpr hsize_t size = 1000, length = 250;
  std::vector<double> values(size);
  std::iota(values.begin(), values.end(), 1234567);
  test::H5File file(GetParam());
  test::Stored how;
  how.type = H5T_STD_I32LE;
  how.dims = {size};
  how.chunk = {length};
  file.add("/a", how, values);
  const RawDataset dataset(file.reopen(), "/a");
  std::ifstream stream(file.path(), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
  for (hsize_t first = 0; first < size; first += length) {
    const auto at = static_cast<std::size_t>(dataset.chunk_file_offset({&first, 1}));
    ASSERT_LE(at + length * sizeof(std::int32_t), bytes.size());
    for (hsize_t i = 0; i < length; ++i) {
      std::int32_t stored = 0;
      std::memcpy(&stored, bytes.data() + at + i * sizeof stored, sizeof stored);
      ASSERT_EQ(stored, values[first + i]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(UserBlocks, ChunkPlace, testing::Values(0, 512, 65536, 1 << 20));

TEST(ChunkAddressBase, IsNothingWithoutAUserBlock) { EXPECT_EQ(chunk_address_base(0), 0); }

}  // namespace
}  // namespace quern::io
