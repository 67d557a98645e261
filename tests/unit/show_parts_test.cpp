// The parts of `quern show` and `quern check` that need no file.
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "cli/show_selection.hpp"
#include "cli/show_sinks.hpp"
#include "host/core/error.hpp"
#include "io/view/array_names.hpp"
#include "io/view/audit.hpp"
#include "io/view/matrix_view.hpp"
#include "io/view/number.hpp"

namespace quern {
namespace {

struct SliceCase {
  const char* text;
  std::int64_t first, last;
};

class Slices : public testing::TestWithParam<SliceCase> {};

TEST_P(Slices, AsInPython) {
  const RowRange range = cli::parse_slice(GetParam().text, 10, "--rows");
  EXPECT_EQ(range.first, GetParam().first) << GetParam().text;
  EXPECT_EQ(range.last, GetParam().last) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(OfTen, Slices,
                         testing::Values(SliceCase{":", 0, 10}, SliceCase{":3", 0, 3}, SliceCase{"7:", 7, 10}, SliceCase{"-3:", 7, 10},
                                         SliceCase{":-3", 0, 7}, SliceCase{"2:5", 2, 5}, SliceCase{"-4:-2", 6, 8}, SliceCase{"5:2", 5, 5},
                                         SliceCase{"20:30", 10, 10}, SliceCase{"-20:2", 0, 2}, SliceCase{"+1:4", 1, 4},
                                         SliceCase{":99999999999999999999", 0, 10}, SliceCase{"-99999999999999999999:", 0, 10}));

TEST(Slice, RefusesWhatIsNone) {
  for (const char* text : {"", "3", "1:2:3", "::", "a:b", "1:b", "1.0:2", " 1:2", "--1:2", "+-1:2", "+:2", ":+"})
    EXPECT_THROW(cli::parse_slice(text, 10, "--rows"), Error) << text;
}

class Names final : public NameSource {
 public:
  explicit Names(std::vector<std::string> names) : names_(std::move(names)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(names_.size()); }
  void read(RowRange range, std::vector<std::string>& out) override {
    out.assign(names_.begin() + range.first, names_.begin() + range.last);
  }

 private:
  std::vector<std::string> names_;
};

cli::AxisChoice choose(const cli::AxisRequest& request, std::int64_t most = 0) {
  Names names({"a", "b", "a", "c", "Dd"});
  return cli::choose(request, names, "--rows", "--row-names", most);
}

TEST(Choice, ByNameTakesAllOfTheName) {
  const cli::AxisChoice choice = choose({"", {"a", "b"}});
  ASSERT_EQ(choice.ranges.size(), 1U);
  EXPECT_EQ(choice.ranges[0].first, 0);
  EXPECT_EQ(choice.ranges[0].last, 3);
}

TEST(Choice, SuggestsNamesOfOtherCase) {
  try {
    choose({"", {"dD"}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "no-such-name");
    EXPECT_EQ(error.hint(), "did you mean Dd?");
  }
}

TEST(Choice, LeavesOutTheMiddleOnlyOfWhatNobodyChose) {
  EXPECT_TRUE(choose({}, 4).has_gap);
  EXPECT_EQ(choose({}, 4).size(), 4);
  EXPECT_FALSE(choose({}, 5).has_gap);
  EXPECT_FALSE(choose({":", {}}, 4).has_gap);
  EXPECT_EQ(choose({"3:3", {}}, 4).size(), 0);
}

TEST(Choice, SplitsNamesAtCommas) { EXPECT_EQ(cli::split_names({"a,b", "c", ",d,,"}), (std::vector<std::string>{"a", "b", "c", "d"})); }

TEST(JsonField, IsOfItsKind) {
  EXPECT_EQ(cli::json_field("3", "int64"), cli::Json(3));
  EXPECT_EQ(cli::json_field("18446744073709551615", "uint64"), cli::Json(18446744073709551615ULL));
  EXPECT_EQ(cli::json_field("0.5", "float32"), cli::Json(0.5));
  EXPECT_EQ(cli::json_field("nan", "float32"), cli::Json(nullptr));
  EXPECT_EQ(cli::json_field("-inf", "float32"), cli::Json(nullptr));
  EXPECT_EQ(cli::json_field("True", "bool"), cli::Json(true));
  EXPECT_EQ(cli::json_field("", "categorical"), cli::Json(nullptr));
  EXPECT_EQ(cli::json_field("3", "categorical"), cli::Json("3"));
  EXPECT_EQ(cli::json_field("", "string"), cli::Json(""));
}

std::string printed(const io::StoredType& type, std::initializer_list<unsigned char> bytes, io::NumberKind kind) {
  io::Number number;
  io::read_numbers(type, reinterpret_cast<const std::byte*>(bytes.begin()), 1, &number);
  std::string text;
  io::append_number(text, kind, number);
  return text;
}

TEST(Numbers, KeepEveryBit) {
  using io::NumberKind;
  using io::StoredKind;
  EXPECT_EQ(printed({StoredKind::signed_integer, 1, false}, {0x80}, NumberKind::whole), "-128");
  EXPECT_EQ(printed({StoredKind::signed_integer, 2, true}, {0xFF, 0xFE}, NumberKind::whole), "-2");
  EXPECT_EQ(printed({StoredKind::unsigned_integer, 4, false}, {0xFF, 0xFF, 0xFF, 0xFF}, NumberKind::natural), "4294967295");
  EXPECT_EQ(printed({StoredKind::unsigned_integer, 8, false}, {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, NumberKind::natural),
            "18446744073709551615");
  EXPECT_EQ(printed({StoredKind::signed_integer, 8, false}, {1, 0, 0, 0, 0, 0, 0x20, 0}, NumberKind::whole), "9007199254740993");
  EXPECT_EQ(printed({StoredKind::signed_integer, 1, false}, {1}, NumberKind::boolean), "True");
  EXPECT_EQ(printed({StoredKind::real, 4, false}, {0xCD, 0xCC, 0xCC, 0x3D}, NumberKind::real), "0.10000000149011612");
  EXPECT_EQ(printed({StoredKind::real, 2, true}, {0x3E, 0x00}, NumberKind::real), "1.5");
}

TEST(Ranges, ContainWhatTheyHold) {
  const io::Ranges ranges{{2, 4}, {7, 8}};
  std::string held;
  for (std::int64_t number = 0; number < 10; ++number) held += io::contains(ranges, number) ? 'x' : '.';
  EXPECT_EQ(held, "..xx...x..");
  EXPECT_EQ(io::total_size(ranges), 3);
}

TEST(Row, IsSortedAndSummedFromItsBeginning) {
  io::Number one, two;
  one.real = 1;
  two.real = 2;
  std::vector<io::Entry> entries{{9, one}, {5, one}, {3, two}, {5, two}};
  io::make_row_canonical(entries, 1, io::NumberKind::real);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].column, 9);
  EXPECT_EQ(entries[1].column, 3);
  EXPECT_EQ(entries[2].column, 5);
  EXPECT_EQ(entries[2].value.real, 3);
}

TEST(Findings, SurviveThePipe) {
  io::Findings findings;
  findings.tell_finding(io::Severity::note, "/a", "some-code", "text\twith, anything\n");
  findings.matrices.emplace_back("/uns/m");
  findings.tell_finding(io::Severity::warning, "", "other-code", "");
  const io::Findings back = io::unpack_findings(io::pack_findings(findings));
  EXPECT_EQ(back.matrices, findings.matrices);
  ASSERT_EQ(back.list.size(), 2U);
  EXPECT_EQ(back.list[0].text, "text\twith, anything\n");
  EXPECT_EQ(back.list[1].severity, io::Severity::warning);
  EXPECT_EQ(back.list[1].code, "other-code");
}

TEST(ShortestNumbers, LoseTheirPointAndZero) {
  auto names = io::shortest_numbers(std::make_unique<Names>(std::vector<std::string>{"1.0", "10.05", "nan", "1e+16", "-0.0"}));
  std::vector<std::string> out;
  names->read({0, 5}, out);
  EXPECT_EQ(out, (std::vector<std::string>{"1", "10.05", "nan", "1e+16", "-0"}));
}

}  // namespace
}  // namespace quern
