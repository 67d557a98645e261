// Text of names and numbers.
#include <gmock/gmock.h>

#include <limits>

#include "io/mtx/mtx_file.hpp"
#include "io/names/name_sources.hpp"
#include "io/names/number_text.hpp"
#include "io/names/utf8.hpp"
#include "tests/support/h5_builder.hpp"
#include "tests/support/inputs.hpp"

namespace quern::io {
namespace {

using ::testing::ElementsAre;
const std::string replaced = "\xef\xbf\xbd";

TEST(UniqueNames, AreThoseOfAnndata) {
  const test::ScratchFolder folder;
  const std::string path = folder.text("names.tsv", "A\nB\nA\nA-1\nB\nA\nC\n");
  MemoryBudget budget(1 << 20);
  UniqueNames unique(*open_tsv_column(path, 0, 7), budget);
  std::vector<std::string> names;
  unique.read({0, 7}, names);
  EXPECT_THAT(names, ElementsAre("A", "B", "A-2", "A-1", "B-1", "A-3", "C"));
  unique.read({2, 4}, names);
  EXPECT_THAT(names, ElementsAre("A-2", "A-1"));
  MemoryBudget little(100);
  EXPECT_EQ(test::code_of([&] { UniqueNames(*open_tsv_column(path, 0, 7), little); }), "over-budget");
}

TEST(AsciiWithReferences, IsPythonsXmlcharrefreplace) {
  EXPECT_EQ(ascii_with_references("plain"), "plain");
  EXPECT_EQ(ascii_with_references("\xc3\x9f \xe2\x82\xac \xf0\x9f\xa7\xac"), "&#223; &#8364; &#129516;");
  EXPECT_EQ(ascii_with_references("bad \xff"), "bad &#65533;");
}

TEST(TsvNames, EndsWhereTheFileEnds) {
  const test::ScratchFolder folder;
  const std::string path = folder.text("barcodes.tsv", "a\nb\n\nc\n");
  EXPECT_EQ(count_tsv_lines(path), 3);
  std::vector<std::string> names;
  EXPECT_EQ(test::code_of([&] { open_tsv_column(path, 0, 3)->read({0, 3}, names); }), "none");
  EXPECT_THAT(names, ElementsAre("a", "b", "c"));
  EXPECT_EQ(test::code_of([&] { open_tsv_column(path, 0, 4)->read({0, 4}, names); }), "bad-shape");
  const std::string mebibyte(std::size_t{1} << 20, 'a');
  EXPECT_EQ(test::code_of([&] { count_tsv_lines(folder.text("long.tsv", mebibyte + "\n")); }), "bad-text");
}

TEST(LenientUtf8, KeepsWhatIsValid) {
  for (const char* text : {"", "plain", "\xc3\xa9t\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\xa7\xac", "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"})
    EXPECT_EQ(lenient_utf8(text), text);
}

TEST(LenientUtf8, ReplacesEachMaximalBadPart) {
  EXPECT_EQ(lenient_utf8("a\xff"
                         "b"),
            "a" + replaced + "b");
  EXPECT_EQ(lenient_utf8("\xc0\xaf"), replaced + replaced);                 // overlong
  EXPECT_EQ(lenient_utf8("\xed\xa0\x80"), replaced + replaced + replaced);  // a surrogate
  EXPECT_EQ(lenient_utf8("\xe2\x82"), replaced);                            // cut short
  EXPECT_EQ(lenient_utf8("\xf4\x90\x80\x80"), replaced + replaced + replaced + replaced);
  EXPECT_EQ(lenient_utf8("\xe2\x82x"), replaced + "x");
}

TEST(PythonRepr, WritesFloatsAsPythonDoes) {
  const std::pair<double, const char*> cases[] = {
      {0, "0.0"},         {-0.0, "-0.0"},     {1, "1.0"},   {100000, "100000.0"}, {1e15, "1000000000000000.0"},    {1e16, "1e+16"},
      {0.0001, "0.0001"}, {0.00001, "1e-05"}, {0.1, "0.1"}, {1.5e-7, "1.5e-07"},  {1.0 / 3, "0.3333333333333333"}, {1e300, "1e+300"}};
  for (const auto& [value, text] : cases) EXPECT_EQ(python_repr(value), text);
  EXPECT_EQ(python_repr(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(python_repr(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(KeptNames, PicksFromFarApart) {
  KeptNames names(std::make_unique<PositionalNames>("g", 1000000), {0, 1, 70000, 999999});
  std::vector<std::string> some;
  names.read({0, 4}, some);
  EXPECT_THAT(some, ElementsAre("g1", "g2", "g70001", "g1000000"));
  names.read({1, 3}, some);
  EXPECT_THAT(some, ElementsAre("g2", "g70001"));
}

}  // namespace
}  // namespace quern::io
