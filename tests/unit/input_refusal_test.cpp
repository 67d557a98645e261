// What is no input, or not a safe one: each is refused by what it is.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "io/object_tree.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::test {
namespace {

class InputRefusal : public ::testing::Test {
 protected:
  ScratchFolder folder_;
  std::string path_ = folder_.file("file");
};

TEST_F(InputRefusal, NamesWhatAPathIs) {
  EXPECT_EQ(open_code("-"), "stdin-input");
  EXPECT_EQ(open_code("/dev/stdin"), "stdin-input");
  EXPECT_EQ(open_code(folder_.file("absent")), "not-found");
  EXPECT_EQ(open_code(folder_.path()), "no-matrix");
  EXPECT_EQ(open_code(folder_.text("empty", "")), "empty-file");
  EXPECT_EQ(open_code(folder_.text("table.tsv", "a\tb\n1\t2\n")), "not-hdf5");
  EXPECT_EQ(open_code(folder_.text("archive", "PK\x03\x04zip")), "not-hdf5");
  EXPECT_EQ(open_code("/dev/null"), "not-a-file");
  mkfifo(folder_.file("pipe").c_str(), 0600);
  EXPECT_EQ(open_code(folder_.file("pipe")), "not-a-file");
  std::filesystem::create_directory(folder_.file("a.zarr"));
  folder_.text("a.zarr/.zgroup", "{}");
  EXPECT_EQ(open_code(folder_.file("a.zarr")), "zarr");
  std::filesystem::create_directory(folder_.file("loop"));
  std::filesystem::create_symlink(".zgroup", folder_.file("loop/.zgroup"));
  EXPECT_EQ(open_code(folder_.file("loop")), "unreadable");
}

TEST_F(InputRefusal, StdinIsAUsageErrorAndTheRestAreInputErrors) {
  const auto kind_of = [](const std::string& path) {
    try {
      open_input(path);
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  EXPECT_EQ(kind_of("-"), ErrorKind::usage);
  EXPECT_EQ(kind_of(folder_.path()), ErrorKind::input);
}

TEST_F(InputRefusal, NamesTheRelativesOfH5ad) {
  { H5Builder(path_).text_attribute("/", "filetype", "molecule").group("/features"); }
  EXPECT_EQ(open_code(path_), "molecule-info");
  { H5Builder(path_).numbers("/barcode", {1}, H5T_STD_U64LE).numbers("/umi", {1}, H5T_STD_U32LE); }
  EXPECT_EQ(open_code(path_), "molecule-info");
  { H5Builder(path_).numbers("/barcode_idx", {1}, H5T_STD_U64LE); }
  EXPECT_EQ(open_code(path_), "molecule-info");
  { H5Builder(path_).encoding("/", "MuData", "0.1.0"); }
  EXPECT_EQ(open_code(path_), "h5mu");
  { H5Builder(path_).group("/mod/rna"); }
  EXPECT_EQ(open_code(path_), "h5mu");
  { H5Builder(path_).group("/row_attrs").group("/col_attrs").numbers("/matrix", {1}, H5T_IEEE_F32LE, {1, 1}); }
  EXPECT_EQ(open_code(path_), "loom");
  { H5Builder(path_, 512).encoding("/", "MuData", "0.1.0").frame("/obs", {"c"}).frame("/var", {"g"}).group("/mod/rna"); }
  EXPECT_EQ(open_code(path_), "h5mu");
  { H5Builder(path_).group("/assays/RNA").strings("/active.ident", {"x"}); }
  EXPECT_EQ(open_code(path_), "h5seurat");
  { H5Builder(path_).group("/weights"); }
  EXPECT_EQ(open_code(path_), "unknown-layout");
}

TEST_F(InputRefusal, SeesTruncationAtEveryLength) {
  {
    H5Builder h5(path_);
    h5.frame("/obs", numbered("c", 40)).frame("/var", {"g"}).sparse("/X", 40, 1);
  }
  std::ifstream whole(path_, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  ASSERT_EQ(open_code(path_), "none");
  for (std::size_t length = 512; length < bytes.size(); length += 512)
    EXPECT_EQ(open_code(folder_.text("cut", bytes.substr(0, length))), "truncated") << length;
  EXPECT_EQ(open_code(folder_.text("cut", bytes.substr(0, bytes.size() - 1))), "truncated");
  EXPECT_EQ(open_code(folder_.text("cut", bytes.substr(0, 40))), "truncated");
}

TEST_F(InputRefusal, SaysThatAFileIsBeingWritten) {
  { H5Builder(path_).frame("/obs", {"c"}).frame("/var", {"g"}); }
  const int writer = open(path_.c_str(), O_RDWR);
  ASSERT_EQ(flock(writer, LOCK_EX), 0);
  EXPECT_EQ(open_code(path_), "file-locked");
  close(writer);
  EXPECT_EQ(open_code(path_), "none");
}

class OutsideData : public InputRefusal {
 protected:
  void SetUp() override {
    H5Builder(other_).sparse("/X", 2, 1).numbers("/values", {1, 2}, H5T_IEEE_F32LE, {2, 1});
    folder_.text("raw.bin", std::string(8, '\0'));
  }
  void with_frames(H5Builder& h5) { h5.frame("/obs", numbered("c", 2)).frame("/var", {"g"}); }
  std::string code(bool allow) {
    io::InputOptions options;
    options.allow_external = allow;
    return code_of([&] { open_input(path_, options)->matrix(); });
  }
  std::string other_ = folder_.file("other");
};

TEST_F(OutsideData, FollowsExternalLinksOnlyWhenAllowed) {
  {
    H5Builder h5(path_);
    with_frames(h5);
    H5Lcreate_external(other_.c_str(), "/X", h5.file(), "/X", H5P_DEFAULT, H5P_DEFAULT);
  }
  EXPECT_EQ(code(false), "external-reference");
  EXPECT_EQ(code(true), "none");
}

TEST_F(OutsideData, FollowsSoftLinksButNotToExternalOnes) {
  {
    H5Builder h5(path_);
    with_frames(h5);
    h5.sparse("/layers/real", 2, 1).soft_link("/X", "/layers/real").soft_link("/layers/nowhere", "/gone");
  }
  EXPECT_EQ(code(false), "none");
  {
    H5Builder h5(path_);
    with_frames(h5);
    H5Lcreate_external(other_.c_str(), "/X", h5.file(), "/hidden", H5P_DEFAULT, H5P_DEFAULT);
    h5.soft_link("/X", "/hidden");
  }
  EXPECT_EQ(code(false), "external-reference");
}

TEST_F(OutsideData, ReadsExternalStorageOnlyWhenAllowed) {
  {
    H5Builder h5(path_);
    with_frames(h5);
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(creation, folder_.file("raw.bin").c_str(), 0, 8);
    h5.created("/X", H5T_IEEE_F32LE, {2, 1}, creation);
  }
  EXPECT_EQ(code(false), "external-reference");
  EXPECT_EQ(code(true), "none");
}

TEST_F(OutsideData, ReadsVirtualDatasetsOnlyWhenAllowed) {
  {
    H5Builder h5(path_);
    with_frames(h5);
    const hsize_t dims[2] = {2, 1};
    const hid_t space = H5Screate_simple(2, dims, nullptr), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(creation, space, other_.c_str(), "/values", space);
    h5.created("/X", H5T_IEEE_F32LE, {2, 1}, creation);
    H5Sclose(space);
  }
  EXPECT_EQ(code(false), "external-reference");
  EXPECT_EQ(code(true), "none");
}

TEST_F(OutsideData, TheTreeShowsLinksWithoutFollowingThem) {
  {
    H5Builder h5(path_);
    with_frames(h5);
    H5Lcreate_external(other_.c_str(), "/X", h5.file(), "/X", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_hard(h5.file(), "/", h5.file(), "/obs/cycle", H5P_DEFAULT, H5P_DEFAULT);
  }
  std::string text;
  for (const std::string& line : io::object_tree(path_, "", {})) text += line + "\n";
  EXPECT_NE(text.find("-> " + other_ + ":/X (external)"), std::string::npos) << text;
  EXPECT_NE(text.find("(above)"), std::string::npos) << text;
  EXPECT_NE(io::object_tree(path_, "obs", {})[1].find("@_index"), std::string::npos);
  EXPECT_EQ(code_of([&] { io::object_tree(path_, "obs/absent", {}); }), "missing-object");
}

}  // namespace
}  // namespace quern::test
