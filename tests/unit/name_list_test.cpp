// Lists of names: what stays, what is not there.
#include "cli/name_list.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "host/core/error.hpp"
#include "tests/support/name_list_source.hpp"

namespace quern::cli {
namespace {

using Names = test::ListedNames;

class NameList : public testing::Test {
 protected:
  void SetUp() override { file_ = testing::TempDir() + "/names.txt"; }
  void TearDown() override { std::filesystem::remove(file_); }
  UnknownNames keep(const std::string& text) {
    std::ofstream(file_) << text;
    Names names({"a", "b", "c", "b"});
    return keep_listed(file_, "--keep-cells", names, kept_, budget_);
  }
  std::string file_;
  std::vector<std::uint8_t> kept_{1, 1, 1, 1};
  MemoryBudget budget_{1 << 20};
};

TEST_F(NameList, KeepsAllThatBearAName) {
  const UnknownNames unknown = keep("b\r\n\nb\n");
  EXPECT_EQ(kept_, (std::vector<std::uint8_t>{0, 1, 0, 1}));
  EXPECT_EQ(unknown.n_listed, 1);
  EXPECT_EQ(unknown.n_unknown, 0);
}

TEST_F(NameList, NamesExamplesOfWhatIsNotThere) {
  const UnknownNames unknown = keep("x\nc\ny\nz\nw");
  EXPECT_EQ(kept_, (std::vector<std::uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(unknown.n_unknown, 4);
  EXPECT_EQ(unknown.examples, (std::vector<std::string>{"x", "y", "z"}));
}

TEST_F(NameList, WhatIsOutStaysOut) {
  kept_[0] = 0;
  keep("a\nb\nc\n");
  EXPECT_EQ(kept_, (std::vector<std::uint8_t>{0, 1, 1, 1}));
}

TEST_F(NameList, AnEmptyListKeepsNothing) {
  EXPECT_EQ(keep("").n_listed, 0);
  EXPECT_EQ(kept_, (std::vector<std::uint8_t>{0, 0, 0, 0}));
}

TEST(ListFile, NeedsTheSign) {
  EXPECT_EQ(list_file("@names.txt", "--keep-cells"), "names.txt");
  EXPECT_THROW(list_file("names.txt", "--keep-cells"), Error);
  EXPECT_THROW(list_file("@", "--keep-cells"), Error);
}

}  // namespace
}  // namespace quern::cli
