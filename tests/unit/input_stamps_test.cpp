#include "io/input_stamps.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::io {
namespace {

TEST(InputStamps, TellFilesThatChangeOrGoAway) {
  const test::ScratchFolder folder;
  const std::string path = folder.text("a", "one");
  const InputStamps stamps({path, folder.file("absent")});
  EXPECT_EQ(test::code_of([&] { stamps.check(); }), "none");
  std::ofstream(path, std::ios::app) << "two";
  EXPECT_EQ(test::code_of([&] { stamps.check(); }), "changed");
  std::filesystem::remove(path);
  EXPECT_EQ(test::code_of([&] { stamps.check(); }), "changed");
}

}  // namespace
}  // namespace quern::io
