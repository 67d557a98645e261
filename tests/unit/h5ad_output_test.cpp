// A finished file is looked at before it is put in place.
#include "io/carry/h5ad_output.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "io/carry/rows_out.hpp"
#include "io/carry/sparse_out.hpp"
#include "io/descriptor.hpp"
#include "io/h5ad_write/anndata_elements.hpp"
#include "io/h5ad_write/attributes.hpp"
#include "io/mtx/gzip_members.hpp"
#include "io/mtx/mtx_out.hpp"
#include "io/names/name_sources.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::test {
namespace {

// 2 x 1, X dense; without its obs where that is to be wrong.
void write_small(const io::OutputFile& file, bool with_obs) {
  io::OutputGroup root = io::root_group(file);
  io::tag_element(root.get(), "", "anndata", "0.1.0");
  const auto frame = [&](const char* name, const std::vector<std::string>& names) {
    io::OutputGroup group = io::make_frame(root, name, "_index", {});
    io::write_texts(group, "_index", names);
    group.close();
  };
  if (with_obs) frame("obs", {"c1", "c2"});
  frame("var", {"g1"});
  MemoryBudget budget(std::size_t{1} << 20);
  const float values[] = {1, 2};
  io::RowsOut x(root, "X", io::file_type<float>(), 2, {1}, {}, budget);
  x.append(std::as_bytes(std::span(values)));
  io::OutputDataset dataset = x.finish();
  io::tag_element(dataset.get(), "/X", "array", "0.2.0");
  dataset.close();
  root.close();
}

std::string code_when_expected(const io::ExpectedH5ad& expected, bool with_obs = true) {
  const ScratchFolder folder;
  const std::string target = folder.file("out.h5ad");
  const std::string code = code_of([&] {
    io::H5adOutput output(target, {}, 0);
    write_small(output.file(), with_obs);
    output.commit(expected);
  });
  EXPECT_EQ(std::filesystem::exists(target), code == "none");
  return code;
}

TEST(H5adOutput, PutsInPlaceOnlyWhatWasExpected) {
  EXPECT_EQ(code_when_expected({2, 1, true}), "none");
  EXPECT_EQ(code_when_expected({3, 1, true}), "write-failed");
  EXPECT_EQ(code_when_expected({2, 2, true}), "write-failed");
  EXPECT_EQ(code_when_expected({2, 1, false}), "write-failed");
  EXPECT_EQ(code_when_expected({2, 1, true}, false), "write-failed");
}

class MissingRows : public ::testing::Test {
 protected:
  ScratchFolder folder_;
  io::OutputFile file_ = io::OutputFile::create(folder_.file("out.h5"));
  MemoryBudget budget_{std::size_t{1} << 28};
};

TEST_F(MissingRows, AreABugOfTheCaller) {
  const io::OutputGroup group = io::make_group(file_, "group");
  io::RowsOut rows(group, "rows", io::file_type<float>(), 2, {}, {}, budget_);
  rows.append(std::vector<std::byte>(sizeof(float)));
  EXPECT_EQ(code_of([&] { rows.finish(); }), "wrong-length");
  io::SparseOut sparse(group, {2, 1, 0}, io::file_type<float>(), {}, budget_, 1);
  const std::int32_t offsets[] = {0, 0};
  sparse.append(offsets, {}, {});
  EXPECT_EQ(code_of([&] { sparse.finish(); }), "wrong-length");
}

TEST(GzipPacker, SaysThatTheRoomIsTooSmall) {
  io::GzipPacker packer(4);
  std::vector<char> packed(io::GzipPacker::packed_bound(1000));
  EXPECT_GT(packer.pack(std::string(1000, 'x'), packed), 0u);
  EXPECT_EQ(code_of([&] { packer.pack("text", std::span(packed).first(3)); }), "compressor-failed");
}

// Names of so many letters and their number.
class Names final : public NameSource {
 public:
  Names(std::int64_t size, std::size_t length) : size_(size), length_(length) {}
  std::int64_t size() const override { return size_; }
  void read(RowRange rows, std::vector<std::string>& out) override {
    out.clear();
    for (std::int64_t row = rows.first; row < rows.last; ++row) out.push_back(std::to_string(row) + std::string(length_, 'x'));
  }

 private:
  std::int64_t size_;
  std::size_t length_;
};

std::string packed_names(std::int64_t size, std::size_t length) {
  const ScratchFolder folder;
  const std::string path = folder.file("names.tsv.gz");
  Names names(size, length);
  NameSource* const column = &names;
  MemoryBudget budget(std::size_t{1} << 28);
  const io::Descriptor file(open(path.c_str(), O_RDWR | O_CREAT, 0666));
  io::write_tsv(file.get(), path, {&column, 1}, 4, budget);
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::size_t n_members(const std::string& packed) {
  std::size_t n = 0;
  for (std::size_t at = packed.find("\x1f\x8b\x08"); at != std::string::npos; at = packed.find("\x1f\x8b\x08", at + 1)) ++n;
  return n;
}

TEST(WriteTsv, HoldsAMebibyteOfTextUnlessANameIsLonger) {
  EXPECT_EQ(n_members(packed_names(1000, 100)), 1u);
  EXPECT_GE(n_members(packed_names(30000, 100)), 3u);
  EXPECT_GE(n_members(packed_names(2, std::size_t{5} << 20)), 2u);
}

}  // namespace
}  // namespace quern::test
