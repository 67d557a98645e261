#include <gtest/gtest.h>

#include <numeric>

#include "io/decode/chunk_decoder.hpp"
#include "io/decode/codecs.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/h5ad_write/chunked_dataset.hpp"
#include "io/h5ad_write/compound_table.hpp"
#include "io/h5ad_write/lzf.hpp"
#include "io/h5ad_write/text_dataset.hpp"
#include "tests/support/encode.hpp"
#include "tests/support/temp_folder.hpp"

namespace quern::io {
namespace {

using test::file_contents;
using test::TempFolder;

TEST(Compression, WordsAreRead) {
  EXPECT_EQ(parse_compression("none"), (Compression{Packing::none, 0, false}));
  EXPECT_EQ(parse_compression("gzip"), (Compression{Packing::gzip, 4, false}));
  EXPECT_EQ(parse_compression("gzip:9,shuffle"), (Compression{Packing::gzip, 9, true}));
  EXPECT_EQ(parse_compression("zstd:12"), (Compression{Packing::zstd, 12, false}));
  for (const char* text : {"none", "none,shuffle", "gzip:1", "zstd:19,shuffle", "lzf", "lzf,shuffle", "blosc:9"})
    EXPECT_EQ(to_string(parse_compression(text)), text);
  for (const char* text : {"", "gzip:0", "gzip:10", "gzip:", "gzip:4x", "zstd:20", "none:1", "lzf:1", "gzip,", "blosc:0", "blosc:10",
                           "blosc,shuffle", "lzfs", "gzip:4,shuffle,shuffle"})
    EXPECT_THROW(parse_compression(text), Error) << text;
}

TEST(H5pyChunk, IsTheOneInTheWild) {
  EXPECT_EQ(h5py_chunk_length(100'000, 4), 3125);
  EXPECT_EQ(h5py_chunk_length(1'000'000, 4), 7813);
  EXPECT_EQ(h5py_chunk_length(10'000'000, 4), 9766);
  EXPECT_EQ(h5py_chunk_length(100'000'000, 4), 24415);
  EXPECT_EQ(h5py_chunk_length(1'000'000'000, 4), 61036);
  EXPECT_EQ(h5py_chunk_length(5'000'000'000, 4), 76294);
  EXPECT_EQ(h5py_chunk_length(100'000'000, 8), 12208);
  EXPECT_EQ(h5py_chunk_length(0, 4), 1024);
}

TEST(ChunkEncoder, TheDecoderUndoesIt) {
  const test::Bytes plain = test::sample_bytes(40'000);
  for (const char* text :
       {"none", "none,shuffle", "gzip:1", "gzip:9,shuffle", "zstd:3", "zstd:1,shuffle", "lzf", "lzf,shuffle", "blosc:5"}) {
    const Compression how = parse_compression(text);
    ChunkEncoder encoder(how, plain.size());
    test::Bytes packed(ChunkEncoder::packed_bound(how, plain.size())), back(plain.size());
    packed.resize(encoder.encode(plain, 4, packed));
    FilterPipeline pipeline{{}, 4, plain.size()};
    if (how.shuffle) pipeline.steps.push_back({static_cast<int>(FilterId::shuffle), {4}});
    if (how.packing == Packing::gzip) pipeline.steps.push_back({static_cast<int>(FilterId::deflate), {4}});
    if (how.packing == Packing::zstd) pipeline.steps.push_back({static_cast<int>(FilterId::zstd), {3}});
    if (how.packing == Packing::lzf) pipeline.steps.push_back({static_cast<int>(FilterId::lzf), {}});
    if (how.packing == Packing::blosc) pipeline.steps.push_back({static_cast<int>(FilterId::blosc), {}});
    ChunkDecoder(pipeline).decode(packed, 0, back, text);
    EXPECT_EQ(back, plain) << text;
    if (how.packing != Packing::none) {
      EXPECT_LT(packed.size(), plain.size()) << text;
    }
  }
}

TEST(ChunkEncoder, SaysThatTheRoomIsTooSmall) {
  const test::Bytes plain = test::sample_bytes(40'000);
  test::Bytes packed(10);
  for (const char* text : {"gzip:1", "zstd:3"})
    EXPECT_THROW(ChunkEncoder(parse_compression(text), plain.size()).encode(plain, 4, packed), Error) << text;
}

TEST(LzfPacker, WhateverTheBytesTheyComeBackAndFit) {
  test::Bytes far(20'000), none(5'000);
  for (std::size_t i = 0; i < far.size(); ++i) far[i] = static_cast<std::byte>((i % 9000) * 2654435761U >> 20);
  for (std::size_t i = 0; i < none.size(); ++i) none[i] = static_cast<std::byte>(i * i * 2654435761U >> 13);
  for (const test::Bytes& plain : {test::Bytes{}, test::Bytes(1), test::Bytes(3), test::Bytes(264 + 3), test::Bytes(70'000), far, none}) {
    test::Bytes packed(LzfPacker::packed_bound(plain.size())), back(plain.size());
    LzfPacker packer;
    packed.resize(packer.pack(plain, packed));
    EXPECT_EQ(decode_lzf(packed, back), plain.size());
    EXPECT_EQ(back, plain);
    if (plain.size() == 70'000) {
      EXPECT_LT(packed.size(), 1000U);
    }
  }
}

TEST(TextDataset, IsAsLongAsItWasToBe) {
  const TempFolder folder;
  const FileHandle file(H5Fcreate((folder / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  TextDataset names(file.get(), "/", "names", 3);
  names.append(std::vector<std::string>{"a", "b"});
  EXPECT_THROW(names.finish(), Error);
  names.append(std::vector<std::string>{"c"});
  EXPECT_NO_THROW(names.finish());
}

std::vector<std::int32_t> read_all(const std::string& path, const char* name) {
  const FileHandle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const DatasetHandle dataset(H5Dopen2(file.get(), name, H5P_DEFAULT));
  const SpaceHandle space(H5Dget_space(dataset.get()));
  std::vector<std::int32_t> values(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space.get())));
  EXPECT_GE(H5Dread(dataset.get(), H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  return values;
}

void write_numbers(const std::string& path, const std::vector<std::int32_t>& values, int n_parallel, std::size_t step) {
  const Compression how{Packing::gzip, 4, true};
  OutputFile file = OutputFile::create(path);
  const ChunkedShape shape{static_cast<std::int64_t>(values.size()), 1000};
  ChunkAppender appender(ChunkedDataset(file.id(), "", "numbers", file_type<std::int32_t>(), shape, how), how, n_parallel);
  for (std::size_t i = 0; i < values.size(); i += step)
    appender.append_values(std::span<const std::int32_t>(values).subspan(i, std::min(step, values.size() - i)));
  appender.finish();
  file.close();
}

TEST(ChunkAppender, WritesWhatWasAppendedHoweverItWasDivided) {
  const TempFolder folder;
  std::vector<std::int32_t> values(12'345);
  std::iota(values.begin(), values.end(), -6000);
  write_numbers(folder / "a.h5", values, 1, values.size());
  write_numbers(folder / "b.h5", values, 7, 37);
  EXPECT_EQ(read_all(folder / "a.h5", "numbers"), values);
  EXPECT_EQ(file_contents(folder / "a.h5"), file_contents(folder / "b.h5"));
}

TEST(ChunkAppender, NoElementsAtAll) {
  const TempFolder folder;
  write_numbers(folder / "a.h5", {}, 3, 1);
  EXPECT_TRUE(read_all(folder / "a.h5", "numbers").empty());
}

TEST(ChunkAppender, MissingElementsAreABug) {
  const TempFolder folder;
  OutputFile file = OutputFile::create(folder / "a.h5");
  ChunkAppender appender(ChunkedDataset(file.id(), "", "numbers", file_type<std::int32_t>(), {10, 4}, {}), {}, 1);
  const std::vector<std::int32_t> nine(9);
  appender.append_values(std::span<const std::int32_t>(nine));
  EXPECT_THROW(appender.finish(), Error);
}

TEST(OutputFile, ObjectsLeftOpenAreABug) {
  const TempFolder folder;
  OutputFile file = OutputFile::create(folder / "a.h5");
  OutputGroup group = make_group(file, "g");
  EXPECT_THROW(file.close(), Error);
  group.close();
  file.close();
}

TEST(OutputFile, FailuresSayWhy) {
  try {
    OutputFile::create("/nowhere/at/all.h5");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_EQ(error.code(), "write-failed");
    EXPECT_NE(std::string(error.what()).find("No such file"), std::string::npos) << error.what();
  }
}

TEST(CompoundTable, KeepsEveryField) {
  const TempFolder folder;
  OutputFile file = OutputFile::create(folder / "a.h5");
  const std::vector<CompoundField> fields{
      {"index", FieldKind::text, 5}, {"code", FieldKind::int8}, {"n", FieldKind::int64}, {"share", FieldKind::float32}};
  CompoundTable table(file.id(), "", "obs", fields, 3, parse_compression("gzip:4"));
  EXPECT_EQ(table.row_bytes(), 5U + 1 + 8 + 4);
  for (int row = 0; row < 3; ++row) {
    table.set_text(0, row == 1 ? "toolong" : "c" + std::to_string(row));
    table.set_integer(1, -row);
    table.set_integer(2, std::int64_t{1} << (40 + row));
    if (row != 2) table.set_real(3, 0.25 * row);
    table.end_row();
  }
  table.finish();
  file.close();

  struct Row {
    char index[5];
    std::int8_t code;
    std::int64_t n;
    float share;
  } rows[3];
  const TypeHandle text = fixed_string(5), type(H5Tcreate(H5T_COMPOUND, sizeof(Row)));
  H5Tinsert(type.get(), "index", HOFFSET(Row, index), text.get());
  H5Tinsert(type.get(), "code", HOFFSET(Row, code), H5T_NATIVE_INT8);
  H5Tinsert(type.get(), "n", HOFFSET(Row, n), H5T_NATIVE_INT64);
  H5Tinsert(type.get(), "share", HOFFSET(Row, share), H5T_NATIVE_FLOAT);
  const FileHandle back(H5Fopen((folder / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  const DatasetHandle dataset(H5Dopen2(back.get(), "obs", H5P_DEFAULT));
  ASSERT_GE(H5Dread(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, rows), 0);
  EXPECT_EQ(std::string(rows[0].index, 2), "c0");
  EXPECT_EQ(std::string(rows[1].index, 5), "toolo");
  EXPECT_EQ(rows[2].code, -2);
  EXPECT_EQ(rows[2].n, std::int64_t{1} << 42);
  EXPECT_EQ(rows[1].share, 0.25F);
  EXPECT_EQ(rows[2].share, 0.0F);
}

}  // namespace
}  // namespace quern::io
