// Sizes, numbers, suggestions, help layout: the small words of the command line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/console.hpp"
#include "cli/sizes.hpp"
#include "cli/suggest.hpp"
#include "cli/wrap.hpp"
#include "host/core/error.hpp"

namespace quern::cli {
namespace {

TEST(Sizes, PowersOf1024WhateverTheSpelling) {
  for (const char* text : {"512MiB", "512M", "512MB", "512mib", "0.5G", "524288K", "536870912", "536870912B", "512 MiB"})
    EXPECT_EQ(parse_size(text, "-m"), 536870912U) << text;
  EXPECT_EQ(parse_size("1.5G", "-m"), 1610612736U);
  EXPECT_EQ(parse_size("2T", "-m"), std::uint64_t{1} << 41);
}

TEST(Sizes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "M", "12X", "1.5GBs", "-1", "1e3", "nan", "inf", "1,5G", "99999999T", "1 2", "20", "1048575"})
    EXPECT_THROW(parse_size(text, "-m"), Error) << text;
}

TEST(Sizes, RefusesWhatIsNoWholeNumber) {
  EXPECT_EQ(parse_integer("12", "-t", 1), 12);
  for (const char* text : {"", "0", "-3", "1.5", "12x", "99999999999999999999"}) EXPECT_THROW(parse_integer(text, "-t", 1), Error) << text;
  EXPECT_THROW(parse_integer("99999999999999999999", "--seed", 0), Error);
}

TEST(Sizes, ReadEasily) {
  EXPECT_EQ(format_size(12), "12 B");
  EXPECT_EQ(format_size(1536), "1.5 KiB");
  EXPECT_EQ(format_size(std::uint64_t{2} << 30), "2 GiB");
  EXPECT_EQ(format_count(54967), "54,967");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(-1234567), "-1,234,567");
  EXPECT_EQ(format_seconds(0.214), "0.21 s");
  EXPECT_EQ(format_seconds(192), "3 min 12 s");
  EXPECT_EQ(format_seconds(3700), "1 h 1 min");
}

TEST(Suggest, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("theards", "threads"), 2U);
  EXPECT_EQ(edit_distance("ab", "ba"), 1U);
}

TEST(Suggest, NearWordsOnly) {
  const std::vector<std::string> verbs{"info", "show", "check", "qc", "generate", "devices", "doctor"};
  EXPECT_EQ(nearest_word("chek", verbs), "check");
  EXPECT_EQ(nearest_word("dcotor", verbs), "doctor");
  EXPECT_EQ(nearest_word("gen", verbs), "generate");
  EXPECT_EQ(nearest_word("qcc", verbs), "qc");
  EXPECT_EQ(nearest_word("normalize", verbs), "");
  EXPECT_EQ(nearest_word("x", verbs), "");
  EXPECT_EQ(suggestion("shwo", verbs), "did you mean show?");
}

TEST(Help, WrapsIntoItsColumn) {
  const std::string line = help_line("-t, --threads N", std::string(60, 'a') + " " + std::string(60, 'b'));
  EXPECT_THAT(line, testing::StartsWith("  -t, --threads N             aaa"));
  EXPECT_THAT(line, testing::HasSubstr("\n" + std::string(30, ' ') + "bbb"));
  EXPECT_THAT(help_line(std::string(40, 'x'), "help"), testing::HasSubstr("x\n" + std::string(30, ' ') + "help\n"));
}

TEST(Console, ShowsControlCharacters) { EXPECT_EQ(printable("a\033[2J\nb\177é"), "a\\x1b[2J\\x0ab\\x7fé"); }

}  // namespace
}  // namespace quern::cli
