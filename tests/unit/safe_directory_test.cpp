#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "host/core/error.hpp"
#include "io/safe_directory.hpp"
#include "io/tables/text_output.hpp"
#include "io/temporary_file.hpp"
#include "tests/support/temp_folder.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;
using test::file_contents;
using test::TempFolder;

const FolderFiles files{{"a", "b"}, {"old"}};

void put(const SafeDirectory& folder, std::size_t file, const std::string& text) {
  ASSERT_EQ(write(folder.descriptor(file), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

std::string code_of(const std::string& target, const OutputOptions& options) {
  try {
    SafeDirectory folder(target, files, options);
  } catch (const Error& error) {
    return error.code();
  }
  return "none";
}

TEST(SafeDirectory, AppearsAsAWhole) {
  const TempFolder temp;
  {
    SafeDirectory folder(temp / "out/", files, {});
    put(folder, 0, "wrong");
    folder.start_over();
    put(folder, 0, "one");
    put(folder, 1, "two!");
    EXPECT_FALSE(fs::exists(temp / "out"));
    EXPECT_EQ(folder.commit(), 7);
  }
  EXPECT_EQ(file_contents(temp / "out/a"), "one");
  EXPECT_EQ(file_contents(temp / "out/b"), "two!");
  EXPECT_EQ(temp.n_files(), 1U);
}

TEST(SafeDirectory, LeavesNothingWithoutCommit) {
  const TempFolder temp;
  {
    const SafeDirectory folder(temp / "out", files, {});
    put(folder, 0, "half");
    EXPECT_EQ(temp.n_files(), 1U);
  }
  EXPECT_EQ(temp.n_files(), 0U);
}

TEST(SafeDirectory, ASignalHandlerRemovesFilesAndFolder) {
  const TempFolder temp;
  const SafeDirectory folder(temp / "out", files, {});
  unlink_registered_parts();
  EXPECT_EQ(temp.n_files(), 0U);
}

TEST(SafeDirectory, ReplacesWithForceOnlyWhatItKnows) {
  const TempFolder temp;
  fs::create_directory(temp / "out");
  std::ofstream(temp / "out/old") << "old";
  ASSERT_EQ(chmod((temp / "out").c_str(), 0700), 0);
  EXPECT_EQ(code_of(temp / "out", {}), "exists");
  std::ofstream(temp / "out/mine") << "mine";
  EXPECT_EQ(code_of(temp / "out", {.force = true}), "foreign-files");
  fs::remove(temp / "out/mine");
  SafeDirectory folder(temp / "out", files, {.force = true});
  put(folder, 0, "new");
  folder.commit();
  EXPECT_EQ(file_contents(temp / "out/a"), "new");
  EXPECT_FALSE(fs::exists(temp / "out/old"));
  EXPECT_EQ(fs::status(temp / "out").permissions(), fs::perms::owner_all);
  EXPECT_EQ(temp.n_files(), 1U);
}

TEST(SafeDirectory, RefusesFilesInputsAndFoldersThatAreNotThere) {
  const TempFolder temp;
  std::ofstream(temp / "file") << "x";
  fs::create_directory(temp / "in");
  std::ofstream(temp / "in/a") << "input";
  fs::create_directory_symlink(temp / "in", temp / "link");
  EXPECT_EQ(code_of(temp / "file", {.force = true}), "not-a-folder");
  EXPECT_EQ(code_of(temp / "no/out", {}), "no-such-folder");
  for (const char* name : {"in", "in/", "link"})
    EXPECT_EQ(code_of(temp / name, {.force = true, .inputs = {temp / "in/a"}}), "same-file") << name;
}

std::ptrdiff_t n_open_files() { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); }

TEST(Outputs, LeaveNothingOpenAndNoPartRegistered) {
  const TempFolder temp;
  const std::ptrdiff_t before = n_open_files();
  for (int turn = 0; turn < 70; ++turn) {  // more than can be registered at once
    const SafeFile file(temp / "given-up", {});
    SafeFile done(temp / ("done-" + std::to_string(turn)), {});
    done.commit();
    const SafeDirectory folder(temp / "folder", files, {});
    const TemporaryFile waiting(temp / "", 0);
    const TextOutput device("/dev/null", {});
  }
  EXPECT_EQ(n_open_files(), before);
}

}  // namespace
}  // namespace quern::io
