// Filters that we register with HDF5, as columns are read through them.
#include "io/hdf5/filters.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstring>
#include <numeric>
#include <vector>

#include "host/core/error.hpp"
#include "io/hdf5/column_data.hpp"
#include "tests/support/h5_file.hpp"

namespace quern::io {
namespace {

constexpr hsize_t size = 100000;

// A frame that does not tell how much it holds, as a writer makes it who does not know yet.
std::vector<std::byte> frame_without_size(const std::vector<std::int32_t>& values) {
  const std::size_t bytes = values.size() * sizeof(std::int32_t);
  std::vector<std::byte> packed(ZSTD_compressBound(bytes));
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_inBuffer input{values.data(), bytes / 2, 0};
  ZSTD_outBuffer output{packed.data(), packed.size(), 0};
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush)), 0U);
  input.size = bytes;
  EXPECT_EQ(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), 0U);
  ZSTD_freeCCtx(context);
  packed.resize(output.pos);
  EXPECT_EQ(ZSTD_getFrameContentSize(packed.data(), packed.size()), ZSTD_CONTENTSIZE_UNKNOWN);
  return packed;
}

struct Column {
  Column() {
    std::iota(values.begin(), values.end(), -5);
    test::Stored how;
    how.type = H5T_STD_I32LE;
    how.dims = how.chunk = {size};
    how.filters = {32015};
    file.add("/a", how, {values.begin(), values.end()});
  }
  void store(const std::vector<std::byte>& chunk) { file.replace_chunk("/a", {0}, chunk); }
  std::vector<std::int64_t> read() {
    file.close();
    const Hdf5File opened(file.path());
    std::vector<std::int64_t> read;
    ColumnData(opened, "/a").read_integers({0, size}, read);
    return read;
  }
  std::vector<std::int32_t> values = std::vector<std::int32_t>(size);
  test::H5File file;
};

TEST(ZstdColumn, NeedNotTellItsSize) {
  Column column;
  column.store(frame_without_size(column.values));
  EXPECT_EQ(column.read(), std::vector<std::int64_t>(column.values.begin(), column.values.end()));
}

TEST(ZstdColumn, ThatEndsEarlyIsAnError) {
  Column column;
  std::vector<std::byte> frame = frame_without_size(column.values);
  for (const std::size_t kept : {frame.size() - 1, frame.size() / 2, std::size_t{12}}) {
    Column cut;
    cut.store({frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(kept)});
    EXPECT_THROW(cut.read(), Error) << kept;
  }
  Column damaged;
  frame[6] |= std::byte{6};  // a block of the kind that is reserved
  damaged.store(frame);
  EXPECT_THROW(damaged.read(), Error);
}

}  // namespace
}  // namespace quern::io
