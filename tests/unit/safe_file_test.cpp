#include "io/safe_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "host/core/error.hpp"
#include "io/file_errors.hpp"
#include "io/tables/text_output.hpp"

namespace quern::io {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class SafeFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "quern-test-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string at(const std::string& name) const { return (folder_ / name).string(); }
  static void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  static std::string get(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  std::size_t files() const { return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator())); }
  static std::string code_of(const std::function<void()>& work) {
    try {
      work();
    } catch (const Error& error) {
      return error.code();
    }
    return "no error";
  }
  static void write_file(const std::string& path, const std::string& text, const OutputOptions& options = {}) {
    SafeFile file(path, options);
    write_all(file.descriptor(), text, path);
    file.commit();
  }
  fs::path folder_;
};

TEST_F(SafeFileTest, AppearsOnlyWithCommit) {
  {
    SafeFile file(at("a"), {});
    write_all(file.descriptor(), "half", at("a"));
    EXPECT_FALSE(fs::exists(at("a")));
    EXPECT_THAT(file.path(), HasSubstr("/.a." + std::to_string(getpid()) + "."));
  }
  EXPECT_EQ(files(), 0U);
  write_file(at("a"), "whole");
  EXPECT_EQ(get(at("a")), "whole");
  EXPECT_EQ(files(), 1U);
}

TEST_F(SafeFileTest, ReplacesOnlyWithForceAndKeepsPermissions) {
  put(at("a"), "old");
  fs::permissions(at("a"), fs::perms(0640));
  EXPECT_EQ(code_of([&] { write_file(at("a"), "new"); }), "exists");
  EXPECT_EQ(get(at("a")), "old");
  write_file(at("a"), "new", {.force = true});
  EXPECT_EQ(get(at("a")), "new");
  EXPECT_EQ(fs::status(at("a")).permissions(), fs::perms(0640));
}

TEST_F(SafeFileTest, DoesNotReplaceWhatAppearsMeanwhile) {
  SafeFile file(at("a"), {});
  put(at("a"), "another's");
  EXPECT_EQ(code_of([&] { file.commit(); }), "exists");
  EXPECT_EQ(get(at("a")), "another's");
}

TEST_F(SafeFileTest, NeverTheInputUnderAnyName) {
  put(at("in"), "data");
  fs::create_directory(at("folder"));
  fs::create_symlink("in", at("link"));
  fs::create_hard_link(at("in"), at("hard"));
  OutputOptions options{.force = true, .inputs = {at("in")}};
  for (const char* name : {"in", "./in", "folder/../in", "link", "hard"})
    EXPECT_EQ(code_of([&] { SafeFile file(at(name), options); }), "same-file") << name;
  EXPECT_EQ(get(at("in")), "data");
}

TEST_F(SafeFileTest, WritesThroughLinks) {
  fs::create_directory(at("folder"));
  fs::create_symlink("folder/real", at("link"));
  write_file(at("link"), "text");
  EXPECT_TRUE(fs::is_symlink(at("link")));
  EXPECT_EQ(get(at("folder/real")), "text");
}

TEST_F(SafeFileTest, RefusesBadTargets) {
  EXPECT_EQ(code_of([&] { SafeFile file(at("none/a"), {}); }), "no-such-folder");
  EXPECT_EQ(code_of([&] { SafeFile file("", {}); }), "no-such-folder");
  EXPECT_EQ(code_of([&] { SafeFile file(at("new/"), {}); }), "no-such-folder");
  EXPECT_EQ(code_of([&] { SafeFile file(folder_.string(), {}); }), "is-directory");
  EXPECT_EQ(code_of([&] { SafeFile file("/dev/null", {}); }), "not-a-file");
  EXPECT_EQ(code_of([&] { SafeFile file("/proc/quern", {}); }), "no-such-folder");
  const SafeFile first(at("a"), {});
  EXPECT_EQ(code_of([&] { SafeFile second(at("./a"), {}); }), "same-output");
}

TEST_F(SafeFileTest, RefusesFoldersWithoutPermission) {
  fs::create_directory(at("locked"));
  fs::permissions(at("locked"), fs::perms(0500));
  if (access(at("locked").c_str(), W_OK) == 0) {  // the superuser may write anywhere but here
    EXPECT_EQ(code_of([&] { SafeFile file("/sys/kernel/quern", {}); }), "not-writable");
  } else {
    EXPECT_EQ(code_of([&] { SafeFile file(at("locked/a"), {}); }), "not-writable");
  }
  fs::permissions(at("locked"), fs::perms(0700));
}

TEST_F(SafeFileTest, NamesStaleParts) {
  put(at(".a.999999999.00000000.part"), "");                          // no such process
  put(at(".a." + std::to_string(getppid()) + ".00000000.part"), "");  // still running
  const SafeFile file(at("a"), {});
  ASSERT_EQ(file.warnings().size(), 1U);
  EXPECT_EQ(file.warnings()[0].code, "stale-part");
  EXPECT_THAT(file.warnings()[0].text, HasSubstr(".a.999999999."));
}

TEST_F(SafeFileTest, SaysThatADeviceCannotBeOpened) {
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  at("socket").copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  try {
    TextOutput(at("socket"), {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("open the device"));
  }
  close(listener);
}

TEST_F(SafeFileTest, TellsTheFreeSpaceOnlyWhereThereIsAny) {
  EXPECT_THAT(write_error(at("none/a"), "write", ENOSPC).what(), Not(HasSubstr("free there")));
}

TEST_F(SafeFileTest, RegistersAFewPartsOfPathsThatThereCanBe) {
  EXPECT_EQ(code_of([&] { RegisteredPart(at(std::string(5000, 'a'))); }), "write-failed");
  std::vector<RegisteredPart> parts;
  for (int i = 0; i < 64; ++i) parts.emplace_back(at("part"));
  EXPECT_EQ(code_of([&] { RegisteredPart(at("part")); }), "too-many-outputs");
  parts.pop_back();
  EXPECT_EQ(code_of([&] { RegisteredPart(at("part")); }), "no error");
}

TEST_F(SafeFileTest, SignalHandlersRemoveParts) {
  const SafeFile file(at("a"), {});
  EXPECT_EQ(files(), 1U);
  unlink_registered_parts();
  EXPECT_EQ(files(), 0U);
}

TEST_F(SafeFileTest, FullDiskIsAnOutputError) {
  try {
    TextOutput output("/dev/full", {});
    output.write("text");
    output.commit();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "disk-full");
    EXPECT_EQ(error.kind(), ErrorKind::output);
    EXPECT_EQ(error.path(), "/dev/full");
  }
}

TEST_F(SafeFileTest, TextRestartsAndGrowsBeyondTheBuffer) {
  const std::string line(100'000, 'x');
  TextOutput output(at("a"), {});
  for (int i = 0; i < 10; ++i) output.write("abandoned");
  for (int i = 0; i < 10; ++i) output.write(line);
  output.restart();
  for (int i = 0; i < 10; ++i) output.write(line);
  output.write(std::string(1'000'000, 'y'));
  output.commit();
  EXPECT_EQ(get(at("a")), std::string(1'000'000, 'x') + std::string(1'000'000, 'y'));
}

TEST_F(SafeFileTest, DevicesGetTheTextAtCommit) {
  ASSERT_EQ(mkfifo(at("pipe").c_str(), 0600), 0);
  std::ofstream(at("seen"));
  const pid_t reader = fork();
  if (reader == 0) {
    const std::string text = get(at("pipe"));
    put(at("seen"), text);
    _exit(0);
  }
  {
    TextOutput output(at("pipe"), {});
    output.write(std::string(700'000, 'x'));
    output.restart();
    for (int i = 0; i < 7; ++i) output.write(std::string(100'000, 'z'));
    output.commit();
  }
  int status = 0;
  waitpid(reader, &status, 0);
  EXPECT_EQ(get(at("seen")), std::string(700'000, 'z'));
}

TEST_F(SafeFileTest, GzipReadsBackAndHasNoTime) {
  for (const char* name : {"a.gz", "b.gz"}) {
    TextOutput output(at(name), {});
    output.write("dropped");
    output.restart();
    for (int i = 0; i < 1000; ++i) output.write("a line of text\n");
    output.commit();
  }
  EXPECT_EQ(get(at("a.gz")), get(at("b.gz")));
  gzFile file = gzopen(at("a.gz").c_str(), "rb");
  std::string text(100'000, '\0');
  text.resize(static_cast<std::size_t>(gzread(file, text.data(), static_cast<unsigned>(text.size()))));
  gzclose(file);
  EXPECT_EQ(text.size(), 15'000U);
  EXPECT_TRUE(text.starts_with("a line of text\na line"));
}

}  // namespace
}  // namespace quern::io
